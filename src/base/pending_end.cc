#include "base/pending_end.h"

#include <atomic>

#include <signal.h>

namespace standpipe {

namespace {
std::atomic<bool> announced{false};
}

void announce_end() { announced = true; }

bool end_is_pending() {
  if (announced) return true;
  sigset_t pending;
  if (::sigpending(&pending) != 0) return false;
  return ::sigismember(&pending, SIGTERM) == 1 || ::sigismember(&pending, SIGINT) == 1;
}

}  // namespace standpipe
