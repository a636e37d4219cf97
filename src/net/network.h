#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "standpipe/batch.h"
#include "standpipe/environment.h"
#include "standpipe/receipt.h"
#include "standpipe/status.h"

namespace standpipe {

/// Who is told about a connection. All calls come from the loop's thread, one at a time; from within any of them the
/// connection may be closed or destroyed.
class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;
  /// There is something to read(): bytes, the peer's end, or a failure. Called again as long as there is.
  virtual void readable() = 0;
  /// What had to wait in write() was handed to the system: unsent() is 0 again.
  virtual void sent() = 0;
  /// Sending failed: the peer is gone. Nothing is called any more.
  virtual void failed(const Status& status) = 0;
};

/// One accepted or opened stream. Reading starts paused; a handler that has no room pauses it again, and the peer's own
/// sends stall: that is the back-pressure. Belongs to the loop's thread: every call, the destructor too. Dropping it
/// closes it at once, unsent bytes included.
class Connection {
 public:
  struct Read {
    std::size_t size = 0;
    bool end = false;  ///< the peer sends nothing more; it may still read
  };

  virtual ~Connection() = default;
  /// `handler` must outlive the connection. Once, before anything else.
  virtual void attach(ConnectionHandler& handler) = 0;
  virtual void resume_reading() = 0;
  virtual void pause_reading() = 0;
  /// What is there now, never waiting: nothing (size 0, no end) is legal.
  virtual Result<Read> read(char* target, std::size_t room) = 0;
  /// Sends, or keeps what the system does not take now; small writes that wait are sent together.
  virtual void write(std::string bytes) = 0;
  /// The same for `bytes` that lie in `slab`: what sends them as they are never copies them.
  virtual void write(std::shared_ptr<const Slab> slab, std::string_view bytes) = 0;
  /// What is written until uncork() waits for that and goes out together: few system calls for many small pieces.
  virtual void cork() {}
  virtual void uncork() {}
  /// Tells the peer that nothing more comes, behind what is unsent. Reading goes on.
  virtual void finish_writing() = 0;
  /// Bytes written and not yet taken by the system.
  virtual std::size_t unsent() const = 0;
  /// Whether all that must be agreed upon before bytes can flow (TLS) is.
  virtual bool agreed() const { return true; }
  /// "127.0.0.1:50312"
  virtual const std::string& peer() const = 0;
};

/// A listening socket; dropping it (loop's thread) closes it. Connections live on.
class Listener {
 public:
  virtual ~Listener() = default;
  /// The real port, also where 0 was asked for.
  virtual std::uint16_t port() const = 0;
};

/// A timer that has not fired yet; dropping it cancels it. Loop's thread only.
class Timer {
 public:
  virtual ~Timer() = default;
};

struct ListenOptions {
  std::string host;  ///< name or address; empty: all addresses
  std::uint16_t port = 0;
  /// More connections wait unaccepted. 0: three quarters of the descriptors that the process may open.
  std::size_t max_connections = 0;
  /// Said once a minute at most: connections wait, or accepting fails. May be null; outlives the listener.
  Log* log = nullptr;
};

struct ConnectOptions {
  std::string host;  ///< name or address
  std::uint16_t port = 0;
  std::chrono::milliseconds timeout{20'000};  ///< for the name and all its addresses together
};

/// A connection that is being made; dropping it (loop's thread) gives it up.
class Connecting {
 public:
  virtual ~Connecting() = default;
};

/// The socket seam: one event loop on one thread that all sources, sinks and the monitor share. The thread starts with
/// the first use and sleeps while nothing happens. Callbacks run on it and must not block.
/// As an Executor it takes receipts back to the loop. Thread-safe where it does not say otherwise; outlives all that
/// was made by it, except that post()ed tasks which have not run at its end are dropped.
class Network : public Executor {
 public:
  using Accept = std::function<void(std::unique_ptr<Connection>)>;
  using Connected = std::function<void(Result<std::unique_ptr<Connection>>)>;

  /// Fails with Code::unavailable when the address can't be had; any thread. `accept` runs on the loop.
  virtual Result<std::unique_ptr<Listener>> listen(const ListenOptions& options, Accept accept) = 0;
  /// Looks the name up (on a thread of its own: that blocks) and tries its addresses in turn. `connected` runs on the
  /// loop, once, never from inside this call: with the connection, or Code::unavailable or Code::timeout, naming host
  /// and port. Loop's thread only.
  virtual std::unique_ptr<Connecting> connect(const ConnectOptions& options, Connected connected) = 0;
  /// Loop's thread only.
  virtual std::unique_ptr<Timer> call_after(std::chrono::milliseconds delay, std::function<void()> task) = 0;
  /// post() for threads that may outlive the network: what they post then is dropped.
  using Door = std::function<void(std::function<void()>)>;
  virtual Door door() = 0;
  /// Runs `task` on the loop and returns when it has run; at once when called on the loop.
  virtual void run(const std::function<void()>& task) = 0;
};

/// The machine's network.
std::unique_ptr<Network> make_network();

}  // namespace standpipe
