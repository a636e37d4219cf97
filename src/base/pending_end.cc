#include "base/pending_end.h"

#include <signal.h>

namespace standpipe {

bool end_is_pending() {
  sigset_t pending;
  if (::sigpending(&pending) != 0) return false;
  return ::sigismember(&pending, SIGTERM) == 1 || ::sigismember(&pending, SIGINT) == 1;
}

}  // namespace standpipe
