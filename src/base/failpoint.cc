#include "base/failpoint.h"

#ifdef STANDPIPE_FAILPOINTS

#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

#include <unistd.h>

#include "base/text.h"

namespace standpipe {

namespace {

struct Armed {
  bool kill = false;
  std::int64_t at = 1;  // the pass that kills
  std::int64_t passes = 0;
};

class Failpoints {
 public:
  Failpoints() {
    const char* text = std::getenv("STANDPIPE_FAILPOINTS");
    if (text == nullptr) return;
    for (const std::string_view item : split(text, ',')) arm(item);
  }

  bool hit(std::string_view name) {
    std::lock_guard lock(mutex_);
    const auto found = armed_.find(name);
    if (found == armed_.end()) return false;
    Armed& armed = found->second;
    if (!armed.kill) return true;
    if (++armed.passes == armed.at) ::kill(::getpid(), SIGKILL);
    return false;
  }

 private:
  void arm(std::string_view item) {
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos) return;
    const std::string_view action = item.substr(equals + 1);
    Armed armed;
    armed.kill = action.starts_with("kill");
    if (const std::size_t at = action.find('@'); at != std::string_view::npos) {
      armed.at = parse_integer(action.substr(at + 1)).value_or(1);
    }
    armed_.emplace(item.substr(0, equals), armed);
  }

  std::mutex mutex_;
  std::map<std::string, Armed, std::less<>> armed_;
};

}  // namespace

bool failpoint_hit(std::string_view name) {
  static Failpoints failpoints;
  return failpoints.hit(name);
}

}  // namespace standpipe

#endif
