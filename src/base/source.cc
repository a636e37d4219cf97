#include "standpipe/source.h"

#include <condition_variable>
#include <mutex>

namespace standpipe {

Status Source::run(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait(lock, stop, [] { return false; });
  return {};
}

}  // namespace standpipe
