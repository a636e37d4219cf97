#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "net/network.h"
#include "net/stream_buffer.h"
#include "rpc/avro/event_encoder.h"
#include "rpc/avro/frame_reader.h"
#include "rpc/avro/known_clients.h"

namespace standpipe::avro {

/// How the connections of one Avro server behave.
struct ServerRules {
  const ServedProtocol& protocol;
  MemoryBudget& memory;  ///< for what is read
  std::size_t read_at_once;
  std::size_t max_request;
  std::size_t pipeline;  ///< calls of one connection under way; while there are as many, it is not read
  bool in_order;         ///< answers go out in the order of the calls; else as they come
  bool answers_ended;    ///< also a client that sends nothing more gets its answers; else it has gone
  /// What a client that speaks TLS or deflate, and should not, is told to change; empty: neither is known here.
  std::string_view tls_remedy = {};
  std::string_view deflate_remedy = {};
};

/// What they share, once a server. Loop's thread, but for the counter.
struct ServerShared {
  ServerShared(Environment& env, const ServerRules& server_rules, Counter& refused_clients)
      : environment(env), rules(server_rules), refused(refused_clients), clients(server_rules.protocol) {}

  Environment& environment;
  const ServerRules rules;
  Counter& refused;
  KnownClients clients;
  std::vector<Message> messages;  // scratch
  LogLimiter refusals{60'000};
};

/// The server's end of one connection: frames and the handshake, limits, calls in, answers out. What the calls do is
/// the business of who derives from it. Belongs to the loop's thread; kept alive by its server until `ended` was
/// called, and by callbacks that are under way.
class ServerSession : public ConnectionHandler, public std::enable_shared_from_this<ServerSession> {
 public:
  using Ended = std::function<void(ServerSession&)>;
  ServerSession(ServerShared& shared, std::unique_ptr<Connection> connection, Ended ended);

  void start();
  /// Reads no more; ends when all that was called is answered.
  void finish();
  /// Ends it when a request that began before `then` is not whole yet.
  void end_if_stalled(Clock::Steady then);

 protected:
  struct Call {
    std::uint64_t number;  ///< what it is called until it is answered; ascending
    std::int32_t serial;   ///< the client's
    std::string_view method;
    DatumReader& parameters;
    const std::shared_ptr<const Slab>& slab;  ///< that the parameters lie in
  };

  /// Carries a call out: answer() is due for it, now or later. Fails when its parameters are damaged: then nothing
  /// behind them can be trusted, and the connection ends once the other calls are answered.
  virtual Status call(const Call& call) = 0;
  /// How many calls a client may have open that asks for so many; 0: it is told nothing.
  virtual unsigned grant_window(unsigned) { return 0; }
  /// The connection is about to go; what was not sent is lost.
  virtual void closing() {}

  /// Answers a call that is not answered yet: with a message, or with a frame that has the call's serial.
  void answer(std::uint64_t number, std::string message);
  void answer(std::uint64_t number, EncodedRequest frame);
  /// After answers that came later than their call: takes the next calls, reads on where there is room.
  void go_on();

  bool ended() const { return connection_ == nullptr; }
  /// At once; what is not answered and not sent is dropped.
  void end();
  const std::string& peer() const { return connection_->peer(); }
  /// Bytes handed to the connection so far, and how many of them the system has taken.
  std::uint64_t written() const { return written_; }
  std::uint64_t taken() const { return written_ - connection_->unsent(); }

 private:
  /// A call that is not answered yet, or whose answer waits for the answers before it.
  struct Pending {
    std::uint64_t number = 0;
    std::int32_t serial = 0;
    bool answered = false;
    std::string front = {};     // stands before the answer's message: a handshake's answer
    EncodedRequest frame = {};  // the answer where it is a frame
  };

  /// A request that was read and waits for its turn.
  struct Waiting {
    std::shared_ptr<const Slab> slab;
    Message message;
  };

  void readable() override;
  void sent() override;
  void failed(const Status& status) override;

  bool read_once();
  void take_in(std::span<char> room, std::size_t size);
  bool take_requests(bool begins);
  void serve_waiting();
  Status serve(const Waiting& request);
  Status handshake(DatumReader& reader, std::string& front, bool& goes_on);
  Pending& pending(std::uint64_t number);
  void send_answers();
  void send(Pending& answered);
  void write(std::string bytes);
  bool may_read() const;
  void refuse(const Status& why);
  std::string hint() const;
  void wait_for_memory();

  ServerShared& shared_;
  std::unique_ptr<Connection> connection_;
  Ended ended_;
  StreamBuffer buffer_;
  FrameReader frames_;
  std::vector<Waiting> waiting_;  // from next_waiting_ on
  std::size_t next_waiting_ = 0;
  std::vector<Pending> pending_;  // by number
  std::uint64_t next_number_ = 0;
  std::uint64_t written_ = 0;
  std::unique_ptr<Timer> timer_;  // waits for memory
  Clock::Steady begun_;           // when the first bytes of the request came that is half-way
  std::string first_bytes_;       // of the connection: they say what else it may be
  bool established_ = false;      // the handshake is done
  bool input_ended_ = false;
};

}  // namespace standpipe::avro
