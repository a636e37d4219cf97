#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "net/network.h"
#include "net/tls.h"
#include "rpc/avro/event_encoder.h"
#include "standpipe/status.h"

namespace standpipe::avro {

struct LinkOptions {
  ConnectOptions peer;
  unsigned window = 1;  ///< requests that we would like to have open, told to peers of our own kind
  std::optional<int> deflate_level = std::nullopt;  ///< the connection is compressed
  std::shared_ptr<const TlsContext> tls = nullptr;  ///< and encrypted
  bool deflate_outside_tls = true;                  ///< where it is both: what Flume 1.10 and 1.11 do
};

/// The client's end of a connection to an Avro source, for a thread that is not the loop's: requests go in, answers
/// come out, nothing blocks. Handshakes are its own business. One thread calls it; `changed` is called on the loop
/// whenever there may be something new, and never again once the destructor has returned.
class Link {
 public:
  enum class Phase : unsigned char {
    closed,      ///< nothing was begun, or close() ended it
    connecting,  ///< open() was called
    greeting,    ///< one request may be sent: it carries the handshake
    open,        ///< the handshake is done: as many may be open as `window` says
    failed       ///< `failure` says why: no connection came about, or it ended; close() it
  };
  struct View {
    Phase phase = Phase::closed;
    unsigned window = 1;
    bool connected = false;  ///< there was a connection, also when it has failed since
    Status failure = {};
  };
  struct Answer {
    std::int32_t serial;
    Status status;  ///< ok: stored
  };

  Link(Network& network, LinkOptions options, std::function<void()> changed);
  ~Link();

  /// After construction or close().
  void open();
  /// Gives up what is under way; answers that came before can still be taken.
  void close();
  View view() const;
  void send(std::int32_t serial, EncodedRequest request);
  /// Those that have come since.
  std::vector<Answer> take_answers();
  /// Waits until something has changed since the last call, at most until the deadline.
  void wait_for_news(Clock& clock, Clock::Steady deadline);

 private:
  class Line;
  Network& network_;
  const LinkOptions options_;
  const std::function<void()> changed_;
  std::shared_ptr<Line> line_;
  std::uint64_t seen_ = 0;  // changes of line_ that wait_for_news() has told
};

}  // namespace standpipe::avro
