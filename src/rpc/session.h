#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "net/network.h"
#include "net/session_set.h"
#include "net/stall_watch.h"
#include "net/stream_buffer.h"
#include "standpipe/source.h"

namespace standpipe::rpc {

/// What all sessions of one source share. Loop's thread, but for the counters.
struct SessionShared {
  SessionShared(Environment& env, Ingest& target);

  Environment& environment;
  Ingest& ingest;
  LogLimiter bad_peers{60'000};
  LogLimiter failures{60'000};
  Counter& events_received;
  Counter& events_accepted;
  Counter& read_failed;
};

/// The server's end of one connection, whatever the protocol: reads while there is room for what comes of it, hands
/// batches over, and sends the answers in the order of the requests. What requests look like is the business of who
/// derives from it. Belongs to the loop's thread; kept alive by its source until `ended` was called, and by callbacks
/// that are under way.
class Session : public ConnectionHandler, public std::enable_shared_from_this<Session> {
 public:
  using Ended = std::function<void(Session&)>;
  Session(SessionShared& shared, std::unique_ptr<Connection> connection, Ended ended);

  void start();
  /// Reads no more; ends when all that was handed over is answered.
  void finish();
  /// Ends it when the peer has kept it waiting for too long.
  void end_if_stalled(const StallWatch::Patience& patience);
  /// Whether it has something to read and no memory for it.
  bool waits_for_memory() const { return timer_ != nullptr; }

 protected:
  /// A request that was read whole and waits for its turn.
  struct Request {
    std::shared_ptr<const Slab> slab;
    std::string_view bytes;   ///< lies in it
    std::int32_t serial = 0;  ///< the peer's number for it, where that stands outside
  };
  /// Appends the answer to a request whose events were stored, or why they were not.
  using PutAnswer = std::function<void(std::string& out, const Status& result)>;

  /// Takes whole requests out of what was read. `more`: it took as many as it takes at once, there may be others.
  /// Code::corrupt: nothing behind the requests that it took can be read.
  virtual Status take_requests(StreamBuffer& buffer, std::vector<Request>& requests, bool& more) = 0;
  /// Carries a request out: calls answer() or deliver() once at most. Fails when nothing behind it can be trusted.
  virtual Status serve(const Request& request) = 0;
  /// What a peer may have meant instead whose first bytes these are, as a message goes on; empty: who knows.
  virtual std::string_view hint(std::string_view first_bytes) const = 0;

  /// Goes out when all requests before it are answered.
  void answer(std::string bytes);
  void deliver(Batch batch, PutAnswer put_answer);
  /// From the next hand-over that fails on, those behind it fail too: younger events don't overtake those that come
  /// again.
  void refuse_behind_failures() { has_window_ = true; }
  /// Nothing more is read: what was handed over is answered, then the connection is closed.
  void refuse(const Status& why);
  const std::string& peer() const { return connection_->peer(); }

 private:
  /// A request that is not answered yet.
  struct Pending {
    PutAnswer put_answer = nullptr;
    std::size_t events = 0;
    std::size_t bytes = 0;  // of the request
    bool answered = false;
    std::string answer = {};
  };

  void readable() override { work(); }
  void sent() override { work(); }
  void failed(const Status& status) override;

  void work();
  bool step();
  bool read_once();
  bool take();
  void serve_waiting();
  void completed(std::uint64_t number, const Status& status);
  void send_answers();
  bool may_serve() const;
  bool may_read() const;
  bool all_answered() const;
  void no_more_input();
  void wait_for_memory();
  void work_later();
  void go_on();
  void end();

  SessionShared& shared_;
  std::unique_ptr<Connection> connection_;
  Ended ended_;
  StreamBuffer buffer_;
  std::vector<Request> waiting_;  // from next_waiting_ on
  std::size_t next_waiting_ = 0;
  std::vector<Pending> pending_;
  std::size_t pending_bytes_ = 0;
  std::size_t serving_bytes_ = 0;   // of the request that is being carried out
  std::uint64_t first_number_ = 0;  // of pending_.front()
  std::unique_ptr<Timer> timer_;    // waits for memory
  StallWatch watch_;
  std::string first_bytes_;  // of the connection: they say what else it may be
  bool more_ = false;        // there may be requests in what was read
  bool has_window_ = false;
  bool refusing_ = false;
  bool input_ended_ = false;
  bool works_later_ = false;
};

/// Looks at them all: ends those whose peers keep them waiting for longer than `limit`.
void end_stalled(const SessionSet<Session>& sessions, Clock::Steady now, std::chrono::milliseconds limit);

}  // namespace standpipe::rpc
