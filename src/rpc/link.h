#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "net/network.h"
#include "net/stream_buffer.h"
#include "rpc/request.h"
#include "standpipe/status.h"

namespace standpipe::rpc {

/// What a server said to a request.
struct Answer {
  std::int32_t serial;
  Status status;  ///< ok: stored; else what the server said, without its name
};

/// A protocol on one connection of a client. Belongs to the loop's thread.
class Dialect {
 public:
  struct Heard {
    std::vector<Answer> answers = {};
    /// The two have greeted each other: so many requests may be open from now on. Once.
    std::optional<unsigned> window = {};
  };

  virtual ~Dialect() = default;
  /// What lies over the plain connection: TLS, compression.
  virtual std::unique_ptr<Connection> over(std::unique_ptr<Connection> connection) = 0;
  /// Until hear() has told the window there is one request at most.
  virtual void send(Connection& connection, std::int32_t serial, EncodedRequest request) = 0;
  /// Takes what is whole out of `buffer`. Code::corrupt: nothing behind it can be read.
  virtual Status hear(Connection& connection, StreamBuffer& buffer, Heard& heard) = 0;
  /// Behind "closed the connection": what may be wrong when it was asked something and answered nothing at all, as an
  /// end of a sentence; else empty.
  virtual std::string_view hint() const = 0;
};

/// The client's end of a connection, for a thread that is not the loop's: requests go in, answers come out, nothing
/// blocks. Greetings are the dialect's business. One thread calls it; `changed` is called on the loop whenever there
/// may be something new, and never again once the destructor has returned.
class Link {
 public:
  enum class Phase : unsigned char {
    closed,      ///< nothing was begun, or close() ended it
    connecting,  ///< open() was called
    greeting,    ///< one request may be sent: it carries the greeting
    open,        ///< as many requests may be open as `window` says
    failed       ///< `failure` says why: no connection came about, or it ended; close() it
  };
  struct View {
    Phase phase = Phase::closed;
    unsigned window = 1;
    bool connected = false;  ///< there was a connection, also when it has failed since
    Status failure = {};
  };
  using Answer = rpc::Answer;
  /// Makes the dialect of a new connection; called on the loop.
  using MakeDialect = std::function<std::unique_ptr<Dialect>()>;

  Link(Network& network, ConnectOptions peer, MakeDialect make_dialect, std::function<void()> changed);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// After construction or close().
  void open();
  /// Gives up what is under way; answers that came before can still be taken.
  void close();
  View view() const;
  /// Sends it, at the latest with the next flush(): requests that are small go out together.
  void send(std::int32_t serial, EncodedRequest request);
  void flush();
  /// Those that have come since. A refusal names the peer.
  std::vector<Answer> take_answers();
  /// Waits until something has changed since the last call, at most until the deadline.
  void wait_for_news(Clock& clock, Clock::Steady deadline);

 private:
  class Line;
  struct Numbered {
    std::int32_t serial;
    EncodedRequest request;
  };
  Network& network_;
  const ConnectOptions peer_;
  const MakeDialect make_dialect_;
  const std::function<void()> changed_;
  std::shared_ptr<Line> line_;
  std::vector<Numbered> collected_;  // not yet on the way to the loop
  std::size_t collected_bytes_ = 0;
  std::uint64_t seen_ = 0;  // changes of line_ that wait_for_news() has told
};

}  // namespace standpipe::rpc
