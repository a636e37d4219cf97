#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/network.h"
#include "net/stall_watch.h"
#include "net/stream_buffer.h"
#include "rpc/request.h"
#include "rpc/server.h"

namespace standpipe::rpc {

/// The server's end of one connection, whatever the protocol: reads whole requests while there is room for what comes
/// of them, and sends the answers, in order or as they come. What requests look like, and what is done with them, is
/// the business of who derives from it. Belongs to the loop's thread; kept alive by its server until it has ended, and
/// by callbacks that are under way.
class Session : public ConnectionHandler, public std::enable_shared_from_this<Session> {
 public:
  Session(Server& server, std::unique_ptr<Connection> connection);

  void start();
  /// Reads no more; ends when all that is due is answered.
  void finish();
  /// Ends it when the peer has kept it waiting for too long.
  void end_if_stalled(const StallWatch::Patience& patience);
  /// Whether it has something to read and no memory for it.
  bool waits_for_memory() const { return timer_ != nullptr; }
  bool ended() const { return connection_ == nullptr; }

 protected:
  /// Takes whole requests out of what was read. `more`: it took as many as it takes at once, there may be others.
  /// Code::corrupt: nothing behind the requests that it took can be read.
  virtual Status take_requests(StreamBuffer& buffer, std::vector<Request>& requests, bool& more) = 0;
  /// Carries a request out, and answers it, now or later, or not at all. Fails when nothing behind it can be trusted:
  /// then the session ends once all that is due is answered.
  virtual Status serve(const Request& request) = 0;
  /// What a peer may have meant instead whose first bytes these are, as a message goes on; empty: who knows.
  virtual std::string_view hint(std::string_view first_bytes) const = 0;
  /// The connection is about to go; what was not sent is lost.
  virtual void closing() {}

  /// From now on an answer is due; its number, ascending.
  std::uint64_t begin_answer();
  /// The answer, once for each number. Bytes go out with other answers, when what came with their request is served or
  /// go_on() is called; a frame at once, from where it lies.
  void answer(std::uint64_t number, std::string bytes);
  void answer(std::uint64_t number, EncodedRequest frame);
  void answer(std::string bytes) { answer(begin_answer(), std::move(bytes)); }
  /// After answers that came later than serve(): serves and reads on where there is room now.
  void go_on();
  /// The same, once, behind what the loop has to do now: where many answers come together.
  void go_on_later();
  /// At once; what is not answered and not sent is dropped.
  void end();

  Server& server() const { return server_; }
  const std::string& peer() const { return connection_->peer(); }
  /// Bytes handed to the connection so far, and how many of them the system has taken.
  std::uint64_t written() const { return written_; }
  std::uint64_t taken() const { return written_ - connection_->unsent(); }

 private:
  /// An answer that is due, or waits for those before it.
  struct Pending {
    std::uint64_t number = 0;
    std::size_t request_bytes = 0;
    bool answered = false;
    std::string bytes = {};
    EncodedRequest frame = {};
  };

  void readable() override { go_on(); }
  void sent() override { go_on(); }
  void failed(const Status& status) override;

  bool step();
  bool read_once();
  void take_in(std::string_view read);
  bool take();
  void serve_waiting();
  Pending& pending(std::uint64_t number);
  void send_answers();
  void write(std::string bytes);
  bool may_serve() const;
  bool may_read() const;
  bool all_answered() const;
  void refuse(const Status& why);
  void no_more_input();
  void drop_waiting();
  void wait_for_memory();
  void read_on();

  Server& server_;
  std::unique_ptr<Connection> connection_;
  StreamBuffer buffer_;
  std::vector<Request> waiting_;  // from next_waiting_ on
  std::size_t next_waiting_ = 0;
  std::vector<Pending> pending_;   // by number
  std::size_t pending_bytes_ = 0;  // of their requests
  std::size_t serving_bytes_ = 0;  // of the request that is being carried out
  std::uint64_t next_number_ = 0;
  std::uint64_t written_ = 0;
  std::unique_ptr<Timer> timer_;  // waits for memory
  StallWatch watch_;
  std::string first_bytes_;  // of the connection: they say what else it may be
  bool more_ = false;        // there may be requests in what was read
  bool input_ended_ = false;
  bool works_later_ = false;
};

}  // namespace standpipe::rpc
