#include "clients/zookeeper/client.h"

#include <fmt/format.h>

#include "base/text.h"
#include "clients/zookeeper/connect_string.h"
#include "clients/zookeeper/session.h"

namespace standpipe::zookeeper {

namespace {

constexpr int kMayAll = 0x1f;  // read, write, create, delete, admin

Status refused(const Session& session, const std::string& path, std::string_view what, int code) {
  const auto text = [&](std::string_view why) {
    return fmt::format("{} {} in ZooKeeper {}: {}", what, path, session.servers(), why);
  };
  switch (code) {
    case ZNONODE: return {Code::not_found, text("there is no such node")};
    case ZNODEEXISTS: return {Code::fenced, text("it is there already")};
    case ZBADVERSION: return {Code::fenced, text("somebody else changed it meanwhile")};
    case ZNOTEMPTY: return {Code::invalid, text("there are nodes below it")};
    case ZNOAUTH:
      return {Code::invalid, text("no permission; name an identity that has it with -Dstandpipe.zookeeper.auth.file")};
    case ZAUTHFAILED: return {Code::invalid, text("the identity of standpipe.zookeeper.auth.file is refused")};
    default: return {Code::unavailable, text((*library()).error_text(code))};
  }
}

}  // namespace

class Client::Impl {
 public:
  Impl(const Options& options, std::string servers, Log& log, OnChange on_change)
      : session_(std::make_shared<Session>(*library(), options, std::move(servers), log, std::move(on_change))) {
    session_->start();
  }
  ~Impl() { session_->end(); }

  Session& session() { return *session_; }

  /// Asks, and turns what the server refused into a status.
  Result<Answer> ask(std::string_view what, const std::string& path, bool repeat, const Session::Issue& issue) {
    TRY(check_path(path));
    TRY_ASSIGN(Answer answer, session_->ask(issue, repeat));
    if (answer.code != ZOK) return refused(*session_, path, what, answer.code);
    if (answer.too_large) {
      return Status(Code::invalid, fmt::format("{} {} in ZooKeeper {}: it is larger than anything that belongs there",
                                               what, path, session_->servers()));
    }
    return answer;
  }

  /// A watch on what is not there: it fires when the node is made. Code::not_found: it is still missing.
  Status watch_missing(const std::string& path) {
    const auto answer = ask("watch", path, true, [&](zhandle_t* handle, Session::Request* request) {
      return (*library())
          .exists(handle, path.c_str(), &Session::on_node_event, session_.get(), &Session::on_stat, request);
    });
    return answer.status();
  }

 private:
  const std::shared_ptr<Session> session_;
};

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::open(const Options& options, Log& log, OnChange on_change) {
  TRY_ASSIGN(const ConnectString servers, parse_connect_string(options.connect));
  if (!library().ok()) return library().status();
  return std::unique_ptr<Client>(
      new Client(std::make_unique<Impl>(options, servers.text(), log, std::move(on_change))));
}

bool Client::connected() const { return impl_->session().connected(); }
Status Client::wait_connected() { return impl_->session().wait_connected(); }

Result<Node> Client::get(const std::string& path, Watch watch) {
  Session* const session = &impl_->session();
  const auto watcher = watch == Watch::yes ? &Session::on_node_event : nullptr;
  // Once more when it was made between the two questions.
  for (int attempt = 0;; ++attempt) {
    auto answer = impl_->ask("read", path, true, [&](zhandle_t* handle, Session::Request* request) {
      return (*library()).get(handle, path.c_str(), watcher, session, &Session::on_data, request);
    });
    if (answer.ok()) return Node{std::move(answer->data), answer->version};
    if (answer.status().code() != Code::not_found || watch == Watch::no || attempt == 3) return answer.status();
    const Status watched = impl_->watch_missing(path);
    if (!watched.ok()) return watched.code() == Code::not_found ? answer.status() : watched;
  }
}

Result<std::vector<std::string>> Client::children(const std::string& path, Watch watch) {
  Session* const session = &impl_->session();
  const auto watcher = watch == Watch::yes ? &Session::on_node_event : nullptr;
  TRY_ASSIGN(Answer answer, impl_->ask("list", path, true, [&](zhandle_t* handle, Session::Request* request) {
    return (*library()).children(handle, path.c_str(), watcher, session, &Session::on_names, request);
  }));
  return std::move(answer.names);
}

Status Client::create(const std::string& path, std::string_view data) {
  const bool somebody = !impl_->session().options().auth_scheme.empty();
  // "auth" stands for every identity that this session has shown.
  std::string scheme = somebody ? "auth" : "world";
  std::string id = somebody ? "" : "anyone";
  ACL everything{kMayAll, {scheme.data(), id.data()}};
  const ACL_vector list{1, &everything};
  return impl_
      ->ask("make", path, false,
            [&](zhandle_t* handle, Session::Request* request) {
              return (*library())
                  .create(handle, path.c_str(), data.data(), static_cast<int>(data.size()), &list, 0, &Session::on_path,
                          request);
            })
      .status();
}

Status Client::create_with_parents(const std::string& path, std::string_view data) {
  TRY(check_path(path));
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const Status made = create(path.substr(0, slash), "");
    // Who may not make it there may still make what is below.
    if (!made.ok() && made.code() != Code::fenced && made.code() != Code::invalid) return made;
  }
  return create(path, data);
}

Status Client::set(const std::string& path, std::string_view data, std::int32_t version) {
  return impl_
      ->ask("write", path, false,
            [&](zhandle_t* handle, Session::Request* request) {
              return (*library())
                  .set(handle, path.c_str(), data.data(), static_cast<int>(data.size()), version, &Session::on_stat,
                       request);
            })
      .status();
}

Status Client::remove(const std::string& path, std::int32_t version) {
  return impl_
      ->ask("remove", path, false,
            [&](zhandle_t* handle, Session::Request* request) {
              return (*library()).remove(handle, path.c_str(), version, &Session::on_void, request);
            })
      .status();
}

std::string library_version() {
  if (!library().ok()) return "no ZooKeeper client: " + library().status().message();
  return "ZooKeeper client " ZOO_VERSION " (without TLS and SASL)";
}

}  // namespace standpipe::zookeeper
