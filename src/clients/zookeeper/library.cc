#include "clients/zookeeper/library.h"

#include <dlfcn.h>

#include <string_view>

#include <fmt/format.h>

#include "base/log.h"

namespace standpipe::zookeeper {

namespace {

constexpr const char* kName = "libzookeeper_mt.so.2";

/// Looks names up, and remembers whether one was missing.
class Symbols {
 public:
  explicit Symbols(void* library) : library_(library) {}

  template <class Function>
  void find(const char* name, Function& function) {
    function = reinterpret_cast<Function>(symbol(name));
  }
  void find_number(const char* name, int& number) {
    const void* place = symbol(name);
    if (place != nullptr) number = *static_cast<const int*>(place);
  }
  const char* missing() const { return missing_; }

 private:
  void* symbol(const char* name) {
    void* found = ::dlsym(library_, name);
    if (found == nullptr) missing_ = name;
    return found;
  }

  void* const library_;
  const char* missing_ = nullptr;
};

Result<Library> load() {
  void* const loaded = ::dlopen(kName, RTLD_NOW | RTLD_LOCAL);
  if (loaded == nullptr) {
    return Status(Code::unavailable,
                  fmt::format("ZooKeeper can't be asked without {} (Debian: apt-get install libzookeeper-mt2): {}",
                              kName, ::dlerror()));
  }
  Library found{};
  Symbols symbols(loaded);
  symbols.find("zookeeper_init2", found.open);
  symbols.find("zookeeper_close", found.close);
  symbols.find("zoo_add_auth", found.add_auth);
  symbols.find("zoo_client_id", found.client_id);
  symbols.find("zoo_recv_timeout", found.session_timeout);
  symbols.find("zoo_awget", found.get);
  symbols.find("zoo_awexists", found.exists);
  symbols.find("zoo_awget_children", found.children);
  symbols.find("zoo_acreate", found.create);
  symbols.find("zoo_aset", found.set);
  symbols.find("zoo_adelete", found.remove);
  symbols.find("zerror", found.error_text);
  symbols.find("zoo_set_debug_level", found.set_log_level);
  symbols.find_number("ZOO_SESSION_EVENT", found.session_event);
  symbols.find_number("ZOO_CONNECTED_STATE", found.connected);
  symbols.find_number("ZOO_EXPIRED_SESSION_STATE", found.expired);
  symbols.find_number("ZOO_AUTH_FAILED_STATE", found.auth_failed);
  if (symbols.missing() != nullptr) {
    return Status(Code::unavailable, fmt::format("{} lacks {}", kName, symbols.missing()));
  }
  found.set_log_level(ZOO_LOG_LEVEL_WARN);
  return found;
}

}  // namespace

const Result<Library>& library() {
  static const Result<Library> loaded = load();
  return loaded;
}

void log_line(const char* line) {
  // "2026-11-22 06:00:00,000:4711(0x7f…):ZOO_ERROR@function@2021: text": the time and the rest our log has itself.
  std::string_view text(line);
  const std::size_t place = text.find('@');
  const std::size_t colon = text.find(": ", place == text.npos ? 0 : place);
  if (colon != text.npos) text.remove_prefix(colon + 2);
  while (text.ends_with('\n')) text.remove_suffix(1);
  process_log().debug(fmt::format("ZooKeeper's library: {}", text));
}

}  // namespace standpipe::zookeeper
