#include "clients/zookeeper/session.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include <fmt/format.h>

#include "base/pending_end.h"
#include "clients/zookeeper/connect_string.h"

namespace standpipe::zookeeper {

namespace {

constexpr std::chrono::milliseconds kLookForTheEnd{250};  // how often a wait asks whether the process ends
constexpr std::chrono::seconds kEndWithin{5};             // the library itself gives a farewell 4.5 s
constexpr std::chrono::milliseconds kFirstPause{500};     // before a session is opened anew
constexpr std::chrono::seconds kLongestPause{30};
constexpr int kLargestData = 16 << 20;
constexpr int kMostNames = 100'000;

/// Whether the request may not have reached a server, or its answer not us.
bool is_lost(int code) {
  constexpr int kLost[] = {ZCONNECTIONLOSS, ZOPERATIONTIMEOUT, ZSESSIONEXPIRED, ZCLOSING,
                           ZINVALIDSTATE,   ZSESSIONMOVED,     ZTHROTTLEDOP};
  return std::find(std::begin(kLost), std::end(kLost), code) != std::end(kLost);
}

}  // namespace

Session::Session(const Library& library, const Options& options, std::string servers, Log& log,
                 std::function<void()> on_change)
    : library_(library),
      options_(options),
      servers_(std::move(servers)),
      log_(&log),
      on_change_(std::move(on_change)) {}

void Session::start() {
  std::thread([self = shared_from_this()] { self->run(); }).detach();
}

void Session::end() {
  {
    std::lock_guard lock(outside_mutex_);
    log_ = nullptr;
    on_change_ = nullptr;
  }
  Lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
  // A name server or a peer that hangs keeps the thread, and the thread keeps what it needs.
  changed_.wait_for(lock, kEndWithin, [this] { return finished_; });
}

// -- the thread that opens and closes sessions ------------------------------------------------------------------------

void Session::run() {
  auto pause = std::chrono::milliseconds(kFirstPause);
  Lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    zhandle_t* const handle = open();
    if (handle != nullptr) use(handle);
    lock.lock();
    const bool worked = trouble_.empty();
    pause = worked ? kFirstPause : std::min<std::chrono::milliseconds>(2 * pause, kLongestPause);
    changed_.wait_for(lock, pause, [this] { return stopping_; });
  }
  finished_ = true;
  changed_.notify_all();
}

zhandle_t* Session::open() {
  const auto parsed = parse_connect_string(options_.connect);
  const std::string servers = parsed.ok() ? parsed->for_library() : std::string();
  const int timeout = static_cast<int>(options_.session_timeout.count());
  zhandle_t* const handle =
      library_.open(servers.c_str(), &on_session_event, timeout, nullptr, this, ZOO_NO_LOG_CLIENTENV, &log_line);
  if (handle == nullptr) {
    std::lock_guard lock(mutex_);
    trouble_ = fmt::format("no address is known for any of them ({})", std::strerror(errno));
    changed_.notify_all();
    return nullptr;
  }
  if (!options_.auth_scheme.empty()) {
    // Kept by the library, which shows it to every server that it connects to.
    library_.add_auth(handle, options_.auth_scheme.c_str(), options_.auth.data(),
                      static_cast<int>(options_.auth.size()), nullptr, nullptr);
  }
  return handle;
}

void Session::use(zhandle_t* handle) {
  Lock lock(mutex_);
  handle_ = handle;
  trouble_.clear();
  const bool connected_already = connected_;
  changed_.notify_all();
  if (connected_already) {  // and on_change came before anybody could read
    lock.unlock();
    tell_change();
    lock.lock();
  }
  changed_.wait(lock, [this] { return stopping_ || over_; });
  handle_ = nullptr;
  lock.unlock();
  library_.close(handle);  // no callback comes any more; some requests may have got no answer
  lock.lock();
  connected_ = false;
  over_ = false;
  for (const auto& [place, request] : requests_) {
    request->answer.code = ZCLOSING;
    request->done = true;
  }
  requests_.clear();
  changed_.notify_all();
}

// -- on the library's thread for answers and watches ------------------------------------------------------------------

void Session::on_session_event(zhandle_t* handle, int type, int state, const char*, void* session) {
  auto& self = *static_cast<Session*>(session);
  if (type == self.library_.session_event) self.note_session_event(handle, state);
}

void Session::note_session_event(zhandle_t* handle, int state) {
  bool was_connected = false;
  {
    std::lock_guard lock(mutex_);
    was_connected = connected_;
    connected_ = state == library_.connected;
    over_ = over_ || state == library_.expired || state == library_.auth_failed;
    if (state == library_.auth_failed) trouble_ = "they refuse the identity of standpipe.zookeeper.auth.file";
    changed_.notify_all();
  }
  if (state == library_.connected) {
    say(Log::Level::info, fmt::format("ZooKeeper {}: session 0x{:x}, which lives {} ms without word from here",
                                      servers_, static_cast<std::uint64_t>(library_.client_id(handle)->client_id),
                                      library_.session_timeout(handle)));
    tell_change();
  } else if (state == library_.expired) {
    say(Log::Level::info, fmt::format("ZooKeeper {}: the session expired; a new one is opened", servers_));
  } else if (state == library_.auth_failed) {
    say(Log::Level::error, fmt::format("ZooKeeper {} refuses the identity of standpipe.zookeeper.auth.file", servers_));
  } else if (was_connected) {
    say(Log::Level::info,
        fmt::format("ZooKeeper {}: the connection is lost; it is tried again all the time", servers_));
  }
}

void Session::on_node_event(zhandle_t*, int type, int, const char*, void* session) {
  auto& self = *static_cast<Session*>(session);
  if (type != self.library_.session_event) self.tell_change();
}

template <class Fill>
void Session::complete(const void* request, int code, Fill fill) {
  Session& self = *static_cast<const Request*>(request)->session;
  std::lock_guard lock(self.mutex_);
  const auto found = self.requests_.find(request);
  if (found == self.requests_.end()) return;
  Request& asked = *found->second;
  asked.answer.code = code;
  if (code == ZOK) fill(asked.answer);
  asked.done = true;
  self.requests_.erase(found);
  self.changed_.notify_all();
}

void Session::on_data(int code, const char* data, int size, const Stat* stat, const void* request) {
  complete(request, code, [&](Answer& answer) {
    answer.too_large = size > kLargestData;
    if (data != nullptr && size > 0 && !answer.too_large) answer.data.assign(data, static_cast<std::size_t>(size));
    if (stat != nullptr) answer.version = stat->version;
  });
}

void Session::on_names(int code, const String_vector* names, const void* request) {
  complete(request, code, [&](Answer& answer) {
    const int count = names == nullptr ? 0 : names->count;
    answer.too_large = count > kMostNames;
    for (int i = 0; i < count && !answer.too_large; ++i) answer.names.emplace_back(names->data[i]);
    std::sort(answer.names.begin(), answer.names.end());
  });
}

void Session::on_stat(int code, const Stat* stat, const void* request) {
  complete(request, code, [&](Answer& answer) {
    if (stat != nullptr) answer.version = stat->version;
  });
}

void Session::on_path(int code, const char*, const void* request) {
  complete(request, code, [](Answer&) {});
}

void Session::on_void(int code, const void* request) {
  complete(request, code, [](Answer&) {});
}

void Session::say(Log::Level level, const std::string& message) {
  std::lock_guard lock(outside_mutex_);
  if (log_ != nullptr) log_->write(level, message);
}

void Session::tell_change() {
  std::lock_guard lock(outside_mutex_);
  if (on_change_) on_change_();
}

// -- on the thread of whoever asks ------------------------------------------------------------------------------------

bool Session::wait(Lock& lock, Clock::time_point deadline, const std::function<bool()>& condition) const {
  while (!condition()) {
    const auto now = Clock::now();
    if (now >= deadline || end_is_pending()) return false;
    changed_.wait_until(lock, std::min(deadline, now + kLookForTheEnd));
  }
  return true;
}

bool Session::connected() const {
  std::lock_guard lock(mutex_);
  return connected_ && handle_ != nullptr && !over_;
}

Status Session::wait_connected() {
  Lock lock(mutex_);
  return wait_connected(lock);
}

Status Session::wait_connected(Lock& lock) const {
  const auto usable = [this] { return (connected_ && handle_ != nullptr && !over_) || stopping_; };
  if (wait(lock, Clock::now() + options_.connect_timeout, usable) && !stopping_) return {};
  return {Code::unavailable,
          fmt::format(
              "no session with ZooKeeper {} within {} ms: {}", servers_, options_.connect_timeout.count(),
              trouble_.empty() ? "does a server listen there, without TLS, and is it part of a quorum?" : trouble_)};
}

Result<Answer> Session::ask(const Issue& issue, bool repeat) {
  const auto deadline = Clock::now() + options_.request_timeout;
  Lock lock(mutex_);
  while (true) {
    TRY(wait_connected(lock));
    const auto request = std::make_shared<Request>(Request{this, false, {}});
    requests_[request.get()] = request;
    // The library only queues it; it calls back on its own thread.
    const int taken = issue(handle_, request.get());
    if (taken != ZOK) {
      requests_.erase(request.get());
      request->answer.code = taken;
    } else if (!wait(lock, deadline, [&] { return request->done; })) {
      return Status(Code::timeout, fmt::format("ZooKeeper {} did not answer within {} ms", servers_,
                                               options_.request_timeout.count()));
    }
    if (!is_lost(request->answer.code)) return std::move(request->answer);
    const std::string why = library_.error_text(request->answer.code);
    if (!repeat) {
      return Status(Code::timeout, fmt::format("ZooKeeper {}: {}; whether it was done is not known", servers_, why));
    }
    // Not at once: what failed by itself would fail again, and the state of the session follows.
    if (Clock::now() >= deadline || end_is_pending()) {
      return Status(Code::unavailable, fmt::format("ZooKeeper {}: {}", servers_, why));
    }
    changed_.wait_for(lock, std::chrono::milliseconds(20));
  }
}

}  // namespace standpipe::zookeeper
