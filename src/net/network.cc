#include "net/network.h"

#include <algorithm>
#include <array>
#include <deque>
#include <future>
#include <mutex>
#include <span>
#include <thread>
#include <utility>

#include <netinet/tcp.h>
#include <sys/socket.h>

#define ASIO_STANDALONE
#include <fmt/format.h>
#include <asio.hpp>

#include "base/check.h"
#include "base/clock.h"
#include "base/descriptors.h"
#include "base/log.h"

namespace standpipe {

namespace {

using asio::ip::tcp;

constexpr std::size_t kGather = 64;  // pieces sent with one system call
constexpr std::chrono::seconds kAcceptPause{1};
constexpr std::int64_t kComplaintEveryMs = 60'000;

std::string to_text(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", address, endpoint.port())
                                    : fmt::format("{}:{}", address, endpoint.port());
}

/// A peer whose machine or way is gone says no farewell: an idle connection to it is given up after two minutes.
/// Options that the system refuses are its own business: then such a connection stays.
void look_after_idle(tcp::socket& socket) {
  std::error_code ignored;
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  const std::array<std::pair<int, int>, 3> options{{{TCP_KEEPIDLE, 60}, {TCP_KEEPINTVL, 15}, {TCP_KEEPCNT, 4}}};
  for (const auto& [option, value] : options) {
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof value);
  }
}

std::size_t default_connection_limit() { return descriptor_limit() / 4 * 3; }

/// Bytes that wait to be sent: their own, or a slab's.
class Piece {
 public:
  explicit Piece(std::string text) : text_(std::move(text)) {}
  Piece(std::shared_ptr<const Slab> slab, std::string_view bytes) : slab_(std::move(slab)), bytes_(bytes) {}
  std::string_view bytes() const { return slab_ == nullptr ? std::string_view(text_) : bytes_; }

 private:
  std::string text_;
  std::shared_ptr<const Slab> slab_;
  std::string_view bytes_;
};

/// What the pending waits of one connection share with it. Lives until the last of them has returned; `handler` is null
/// once the connection was dropped.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  Stream(tcp::socket socket, std::function<void()> on_end) : socket_(std::move(socket)), on_end_(std::move(on_end)) {
    std::error_code ignored;
    socket_.non_blocking(true, ignored);
    socket_.set_option(tcp::no_delay(true), ignored);
    look_after_idle(socket_);
    const tcp::endpoint endpoint = socket_.remote_endpoint(ignored);
    peer_ = ignored ? "a peer that has gone" : to_text(endpoint);
  }

  void attach(ConnectionHandler& handler) { handler_ = &handler; }

  void drop() {
    handler_ = nullptr;
    std::error_code ignored;
    socket_.close(ignored);
    if (on_end_) std::exchange(on_end_, nullptr)();
  }

  void set_reading(bool reading) {
    reading_ = reading;
    if (reading_ && !read_armed_) await_read();
  }

  Result<Connection::Read> read(char* target, std::size_t room) {
    std::error_code error;
    const std::size_t size = socket_.read_some(asio::buffer(target, room), error);
    if (!error) return Connection::Read{size, false};
    if (error == asio::error::would_block || error == asio::error::interrupted) return Connection::Read{};
    if (error == asio::error::eof) return Connection::Read{0, true};
    return Status(Code::unavailable, fmt::format("{}: {}", peer_, error.message()));
  }

  void write(Piece piece) {
    const std::string_view bytes = piece.bytes();
    unsent_ += bytes.size();  // what the system refuses stays counted
    if (broken_ || bytes.empty()) return;
    if (outbox_.empty() && !corked_) {
      std::error_code error;
      const std::size_t size = socket_.write_some(asio::buffer(bytes), error);
      if (error && error != asio::error::would_block) return fail_later(error);
      unsent_ -= size;
      if (size == bytes.size()) return;
      sent_of_first_ = size;
    }
    outbox_.push_back(std::move(piece));
    if (!write_armed_ && !corked_) await_write();
  }

  void cork() { corked_ = true; }

  void uncork() {
    corked_ = false;
    if (broken_ || outbox_.empty() || write_armed_ || !send_pieces()) return;
    if (!outbox_.empty()) return await_write();
    if (finishing_) shut_down();
  }

  void finish_writing() {
    finishing_ = true;
    if (outbox_.empty()) shut_down();
  }

  std::size_t unsent() const { return unsent_; }
  const std::string& peer() const { return peer_; }

 private:
  void shut_down() {
    std::error_code ignored;  // the peer may be gone
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
  }

  void await_read() {
    read_armed_ = true;
    socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](std::error_code) {
      self->read_armed_ = false;
      if (self->handler_ == nullptr || !self->reading_) return;
      self->handler_->readable();
      if (self->handler_ != nullptr && self->reading_ && !self->read_armed_) self->await_read();
    });
  }

  void await_write() {
    write_armed_ = true;
    socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](std::error_code) {
      self->write_armed_ = false;
      if (self->handler_ != nullptr) self->flush();
    });
  }

  void flush() {
    if (!send_pieces()) return;
    if (!outbox_.empty()) return await_write();
    if (finishing_) shut_down();
    handler_->sent();
  }

  /// Hands the system what it takes now. False: it refuses, and the handler will be told.
  bool send_pieces() {
    while (!outbox_.empty()) {
      std::array<asio::const_buffer, kGather> pieces;
      const std::size_t count = std::min(kGather, outbox_.size());
      for (std::size_t i = 0; i < count; ++i) pieces[i] = asio::buffer(outbox_[i].bytes());
      pieces[0] += sent_of_first_;
      const std::span gathered(pieces.data(), count);
      std::error_code error;
      const std::size_t size = socket_.write_some(gathered, error);
      if (error == asio::error::would_block) return true;
      if (error) {
        fail_later(error);
        return false;
      }
      take_off(size);
      if (size < asio::buffer_size(gathered)) return true;
    }
    return true;
  }

  void take_off(std::size_t size) {
    unsent_ -= size;
    size += sent_of_first_;
    while (!outbox_.empty() && size >= outbox_.front().bytes().size()) {
      size -= outbox_.front().bytes().size();
      outbox_.pop_front();
    }
    sent_of_first_ = size;
  }

  // Never from inside write(): the handler need not expect to be called back there.
  void fail_later(std::error_code error) {
    broken_ = true;
    asio::post(socket_.get_executor(), [self = shared_from_this(), error] {
      if (self->handler_ == nullptr) return;
      ConnectionHandler* handler = std::exchange(self->handler_, nullptr);
      const Status why(Code::unavailable, fmt::format("{}: {}", self->peer_, error.message()));
      why.ignore();  // to many it is enough that the peer is gone
      handler->failed(why);
    });
  }

  tcp::socket socket_;
  std::function<void()> on_end_;
  ConnectionHandler* handler_ = nullptr;
  std::string peer_;
  std::deque<Piece> outbox_;
  std::size_t sent_of_first_ = 0;
  std::size_t unsent_ = 0;
  bool reading_ = false;
  bool read_armed_ = false;
  bool write_armed_ = false;
  bool corked_ = false;
  bool broken_ = false;
  bool finishing_ = false;
};

class TcpConnection final : public Connection {
 public:
  explicit TcpConnection(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
  ~TcpConnection() override { stream_->drop(); }
  void attach(ConnectionHandler& handler) override { stream_->attach(handler); }
  void resume_reading() override { stream_->set_reading(true); }
  void pause_reading() override { stream_->set_reading(false); }
  Result<Read> read(char* target, std::size_t room) override { return stream_->read(target, room); }
  void write(std::string bytes) override { stream_->write(Piece(std::move(bytes))); }
  void write(std::shared_ptr<const Slab> slab, std::string_view bytes) override {
    stream_->write(Piece(std::move(slab), bytes));
  }
  void cork() override { stream_->cork(); }
  void uncork() override { stream_->uncork(); }
  void finish_writing() override { stream_->finish_writing(); }
  std::size_t unsent() const override { return stream_->unsent(); }
  const std::string& peer() const override { return stream_->peer(); }

 private:
  const std::shared_ptr<Stream> stream_;
};

/// Accepts while fewer than the limit are open. Shared with the pending accept and, weakly, with each connection.
class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(asio::io_context& loop, const ListenOptions& options, Network::Accept accept)
      : socket_(loop),
        pause_(loop),
        limit_(options.max_connections > 0 ? options.max_connections : default_connection_limit()),
        log_(options.log),
        accept_(std::move(accept)) {}

  std::error_code open(const tcp::endpoint& endpoint) {
    std::error_code error;
    socket_.open(endpoint.protocol(), error);
    if (!error) socket_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && endpoint.address().is_v6()) socket_.set_option(asio::ip::v6_only(false), error);
    if (!error) socket_.bind(endpoint, error);
    if (!error) socket_.listen(asio::socket_base::max_listen_connections, error);
    if (!error) port_ = socket_.local_endpoint(error).port();
    return error;
  }

  std::uint16_t port() const { return port_; }

  void drop() {
    accept_ = nullptr;
    std::error_code ignored;
    socket_.close(ignored);
    pause_.cancel();
  }

  void accept_next() {
    if (accept_ == nullptr || waiting_) return;
    if (open_ >= limit_) {
      return complain(fmt::format("{} connections to port {} are open: more wait until one closes", open_, port_));
    }
    waiting_ = true;
    socket_.async_accept([self = shared_from_this()](std::error_code error, tcp::socket socket) {
      self->waiting_ = false;
      self->accepted(error, std::move(socket));
    });
  }

 private:
  void accepted(std::error_code error, tcp::socket socket) {
    if (accept_ == nullptr) return;
    if (error == asio::error::connection_aborted) return accept_next();
    if (error) return pause(error);
    ++open_;
    auto on_end = [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->ended();
    };
    accept_(std::make_unique<TcpConnection>(std::make_shared<Stream>(std::move(socket), std::move(on_end))));
    accept_next();
  }

  void ended() {
    --open_;
    accept_next();
  }

  // Out of descriptors or memory: what is open may close, and then it goes on.
  void pause(std::error_code error) {
    complain(fmt::format("port {} can't accept a connection: {}: trying again", port_, error.message()));
    waiting_ = true;
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([self = shared_from_this()](std::error_code) {
      self->waiting_ = false;
      self->accept_next();
    });
  }

  void complain(const std::string& message) {
    const auto held = complaints_.pass(SystemClock().now_ms());
    if (held && log_ != nullptr) log_->warn(message);
  }

  tcp::acceptor socket_;
  asio::steady_timer pause_;
  const std::size_t limit_;
  Log* const log_;
  Network::Accept accept_;
  LogLimiter complaints_{kComplaintEveryMs};
  std::uint16_t port_ = 0;
  std::size_t open_ = 0;
  bool waiting_ = false;
};

class TcpListener final : public Listener {
 public:
  explicit TcpListener(std::shared_ptr<Acceptor> acceptor) : acceptor_(std::move(acceptor)) {}
  ~TcpListener() override { acceptor_->drop(); }
  std::uint16_t port() const override { return acceptor_->port(); }

 private:
  const std::shared_ptr<Acceptor> acceptor_;
};

/// The way out where an address can't be had to listen on.
std::string_view remedy(std::error_code error) {
  switch (error.value()) {
    case EADDRINUSE: return "; choose another port, or stop who has it (ss -ltnp tells)";
    case EADDRNOTAVAIL: return "; no interface of this machine has that address: choose another";
    case EACCES: return "; ports below 1024 take CAP_NET_BIND_SERVICE: choose another";
    default: return "";
  }
}

/// The way into a loop for threads that may outlive it.
class LoopDoor {
 public:
  explicit LoopDoor(asio::io_context& loop) : loop_(&loop) {}
  void close() {
    std::lock_guard lock(mutex_);
    loop_ = nullptr;
  }
  template <typename Task>
  void post(Task task) {
    std::lock_guard lock(mutex_);
    if (loop_ != nullptr) asio::post(*loop_, std::move(task));
  }

 private:
  std::mutex mutex_;
  asio::io_context* loop_;
};

struct Addresses {
  std::error_code error;
  std::vector<tcp::endpoint> endpoints;
};

Addresses look_up(const std::string& host, std::uint16_t port, tcp::resolver::flags flags = {}) {
  asio::io_context own;
  Addresses found;
  const auto results = tcp::resolver(own).resolve(host, std::to_string(port), flags, found.error);
  for (const auto& entry : results) found.endpoints.push_back(entry.endpoint());
  return found;
}

/// One attempt to connect. Shared with what is under way for it; `connected_` is empty once it is over or given up.
class Connector : public std::enable_shared_from_this<Connector> {
 public:
  Connector(asio::io_context& loop, std::shared_ptr<LoopDoor> door, const ConnectOptions& options,
            Network::Connected connected)
      : door_(std::move(door)),
        options_(options),
        connected_(std::move(connected)),
        socket_(loop),
        deadline_(loop, options.timeout) {}

  void start() {
    deadline_.async_wait([self = shared_from_this()](std::error_code error) {
      if (!error) self->fail(Code::timeout, fmt::format("no answer in {} ms", self->options_.timeout.count()));
    });
    std::error_code no_address;
    const auto address = asio::ip::make_address(options_.host, no_address);
    if (no_address) return look_up_name();
    endpoints_ = {{address, options_.port}};
    asio::post(socket_.get_executor(), [self = shared_from_this()] { self->try_next({}); });
  }

  void drop() {
    connected_ = nullptr;
    close();
  }

 private:
  // A thread that hangs in a name server's silence holds up nobody: it is left alone.
  void look_up_name() {
    std::thread([weak = weak_from_this(), door = door_, host = options_.host, port = options_.port] {
      Addresses found = look_up(host, port);
      door->post([weak, found = std::move(found)]() mutable {
        if (const auto self = weak.lock()) self->looked_up(std::move(found));
      });
    }).detach();
  }

  void looked_up(Addresses found) {
    if (found.error) return fail(Code::unavailable, "the name is unknown: " + found.error.message());
    endpoints_ = std::move(found.endpoints);
    try_next({});
  }

  void try_next(std::error_code last_error) {
    if (connected_ == nullptr) return;
    if (next_ == endpoints_.size()) return fail(Code::unavailable, last_error.message());
    std::error_code ignored;
    socket_.close(ignored);
    socket_.async_connect(endpoints_[next_++], [self = shared_from_this()](std::error_code error) {
      error ? self->try_next(error) : self->succeed();
    });
  }

  void succeed() {
    if (connected_ == nullptr) return;
    // A port in the range of outgoing connections that nobody listens on may connect to itself.
    std::error_code error;
    if (socket_.local_endpoint(error) == socket_.remote_endpoint(error) && !error) {
      return try_next(asio::error::connection_refused);
    }
    deadline_.cancel();
    auto stream = std::make_shared<Stream>(std::move(socket_), nullptr);
    std::exchange(connected_, nullptr)(std::unique_ptr<Connection>(std::make_unique<TcpConnection>(std::move(stream))));
  }

  void fail(Code code, const std::string& why) {
    if (connected_ == nullptr) return;
    const auto connected = std::exchange(connected_, nullptr);
    close();
    connected(Status(code, fmt::format("can't connect to {}:{}: {}", options_.host, options_.port, why)));
  }

  void close() {
    deadline_.cancel();
    std::error_code ignored;
    socket_.close(ignored);
  }

  const std::shared_ptr<LoopDoor> door_;
  const ConnectOptions options_;
  Network::Connected connected_;
  tcp::socket socket_;
  asio::steady_timer deadline_;
  std::vector<tcp::endpoint> endpoints_;
  std::size_t next_ = 0;
};

class TcpConnecting final : public Connecting {
 public:
  explicit TcpConnecting(std::shared_ptr<Connector> connector) : connector_(std::move(connector)) {}
  ~TcpConnecting() override { connector_->drop(); }

 private:
  const std::shared_ptr<Connector> connector_;
};

class LoopTimer final : public Timer {
 public:
  LoopTimer(asio::io_context& loop, std::chrono::milliseconds delay, std::function<void()> task)
      : state_(std::make_shared<State>(State{asio::steady_timer(loop, delay), std::move(task)})) {
    // The state outlives the wait, so that a task that has become runnable finds out that it was cancelled.
    state_->timer.async_wait([state = state_](std::error_code) {
      if (state->task) std::exchange(state->task, nullptr)();
    });
  }
  ~LoopTimer() override {
    state_->task = nullptr;
    state_->timer.cancel();
  }

 private:
  struct State {
    asio::steady_timer timer;
    std::function<void()> task;
  };
  const std::shared_ptr<State> state_;
};

class AsioNetwork final : public Network {
 public:
  ~AsioNetwork() override {
    door_->close();
    loop_.stop();
    if (thread_.joinable()) thread_.join();
  }

  void post(std::function<void()> task) override {
    ensure_thread();
    asio::post(loop_, std::move(task));
  }

  Result<std::unique_ptr<Listener>> listen(const ListenOptions& options, Accept accept) override {
    TRY_ASSIGN(const std::vector<tcp::endpoint> endpoints, resolve(options));
    std::error_code error;
    for (const tcp::endpoint& endpoint : endpoints) {
      auto acceptor = std::make_shared<Acceptor>(loop_, options, accept);
      error = acceptor->open(endpoint);
      if (error) continue;
      post([acceptor] { acceptor->accept_next(); });
      return std::unique_ptr<Listener>(std::make_unique<TcpListener>(std::move(acceptor)));
    }
    return Status(Code::unavailable,
                  fmt::format("can't listen on {}: {}{}", to_text(endpoints.back()), error.message(), remedy(error)));
  }

  std::unique_ptr<Connecting> connect(const ConnectOptions& options, Connected connected) override {
    auto connector = std::make_shared<Connector>(loop_, door_, options, std::move(connected));
    connector->start();
    return std::make_unique<TcpConnecting>(std::move(connector));
  }

  std::unique_ptr<Timer> call_after(std::chrono::milliseconds delay, std::function<void()> task) override {
    ensure_thread();
    return std::make_unique<LoopTimer>(loop_, delay, std::move(task));
  }

  Door door() override {
    return [door = door_](std::function<void()> task) { door->post(std::move(task)); };
  }

  void run(const std::function<void()>& task) override {
    if (loop_.get_executor().running_in_this_thread()) return task();
    std::promise<void> done;
    post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

 private:
  void ensure_thread() {
    std::call_once(started_, [this] {
      thread_ = std::thread([this] { loop_.run(); });
      ::pthread_setname_np(thread_.native_handle(), "network");
    });
  }

  static Result<std::vector<tcp::endpoint>> resolve(const ListenOptions& options) {
    if (options.host.empty()) {
      // One socket for both families where the machine has IPv6.
      return std::vector<tcp::endpoint>{{tcp::v6(), options.port}, {tcp::v4(), options.port}};
    }
    Addresses found = look_up(options.host, options.port, tcp::resolver::passive);
    if (found.error || found.endpoints.empty()) {
      return Status(Code::unavailable, fmt::format("host '{}' is unknown: {}", options.host, found.error.message()));
    }
    return std::move(found.endpoints);
  }

  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(loop_);
  const std::shared_ptr<LoopDoor> door_ = std::make_shared<LoopDoor>(loop_);
  std::once_flag started_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Network> make_network() { return std::make_unique<AsioNetwork>(); }

}  // namespace standpipe
