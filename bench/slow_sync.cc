// A device whose syncs take longer: preloaded into a program, it makes each fsync, fdatasync and msync, and each write
// through O_DSYNC (what dd does with oflag=dsync), take SLOW_SYNC_US microseconds more. For rows that show what a
// slower disk does.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

namespace {

void wait_for_the_device() {
  const char* const text = std::getenv("SLOW_SYNC_US");
  std::this_thread::sleep_for(std::chrono::microseconds(text == nullptr ? 0 : std::atol(text)));
}

/// The C library's own.
template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int fsync(int descriptor) {
  static auto* const real = next<int(int)>("fsync");
  wait_for_the_device();
  return real(descriptor);
}

int fdatasync(int descriptor) {
  static auto* const real = next<int(int)>("fdatasync");
  wait_for_the_device();
  return real(descriptor);
}

int msync(void* address, size_t size, int flags) {
  static auto* const real = next<int(void*, size_t, int)>("msync");
  if ((flags & MS_SYNC) != 0) wait_for_the_device();
  return real(address, size, flags);
}

ssize_t write(int descriptor, const void* bytes, size_t size) {
  static auto* const real = next<ssize_t(int, const void*, size_t)>("write");
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags >= 0 && (flags & O_DSYNC) != 0) wait_for_the_device();
  return real(descriptor, bytes, size);
}

}  // extern "C"
