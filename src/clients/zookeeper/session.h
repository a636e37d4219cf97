#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "clients/zookeeper/library.h"
#include "clients/zookeeper/options.h"
#include "standpipe/environment.h"
#include "standpipe/status.h"

namespace standpipe::zookeeper {

/// What a server said to one request. `code` is the library's: ZOK, ZNONODE, …
struct Answer {
  int code = ZOK;
  std::string data;
  std::int32_t version = 0;
  std::vector<std::string> names;
  bool too_large = false;
};

/// The sessions behind a Client, one after the other, and the requests that are under way. See Client for what its
/// threads are. Shared with the thread that opens and closes sessions, which may be left alone with it at the end.
class Session : public std::enable_shared_from_this<Session> {
 public:
  using Clock = std::chrono::steady_clock;
  /// One request that the library may still answer. Ours for as long as it may: completions get its address.
  struct Request {
    Session* session;
    bool done = false;
    Answer answer;
  };
  /// Hands a request to the library, with one of the completions below; ZOK when it took it.
  using Issue = std::function<int(zhandle_t*, Request*)>;

  Session(const Library& library, const Options& options, std::string servers, Log& log,
          std::function<void()> on_change);
  void start();
  /// Log and on_change are not used any more when it returns; the session is closed, or its thread left alone.
  void end();

  bool connected() const;
  Status wait_connected();
  /// `repeat`: the request changes nothing, and is sent again after a lost connection.
  Result<Answer> ask(const Issue& issue, bool repeat);

  const Options& options() const { return options_; }
  const std::string& servers() const { return servers_; }

  // Completions and a watcher, to give to the library with a Request, and with the Session.
  static void on_data(int code, const char* data, int size, const Stat* stat, const void* request);
  static void on_names(int code, const String_vector* names, const void* request);
  static void on_stat(int code, const Stat* stat, const void* request);
  static void on_path(int code, const char* path, const void* request);
  static void on_void(int code, const void* request);
  static void on_node_event(zhandle_t* handle, int type, int state, const char* path, void* session);

 private:
  using Lock = std::unique_lock<std::mutex>;

  static void on_session_event(zhandle_t* handle, int type, int state, const char* path, void* session);
  void note_session_event(zhandle_t* handle, int state);
  template <class Fill>
  static void complete(const void* request, int code, Fill fill);

  void run();
  zhandle_t* open();
  void use(zhandle_t* handle);  ///< until it expires or the end is asked for; closes it
  bool wait(Lock& lock, Clock::time_point deadline, const std::function<bool()>& condition) const;
  Status wait_connected(Lock& lock) const;

  void say(Log::Level level, const std::string& message);
  void tell_change();

  const Library& library_;
  const Options options_;
  const std::string servers_;  // as a user writes them

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  zhandle_t* handle_ = nullptr;  // what requests go to; null: there is none just now
  bool connected_ = false;
  bool over_ = false;  // expired, or refused: the handle is of no use any more
  bool stopping_ = false;
  bool finished_ = false;
  std::string trouble_;  // why there is no session, where that is known
  std::map<const void*, std::shared_ptr<Request>> requests_;

  std::mutex outside_mutex_;  // held while log and on_change are used; taken behind mutex_ never
  Log* log_;
  std::function<void()> on_change_;
};

}  // namespace standpipe::zookeeper
