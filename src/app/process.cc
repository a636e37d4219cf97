#include "app/process.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <malloc.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include <fmt/format.h>

#include "base/block_cache.h"
#include "base/home.h"
#include "base/text.h"

namespace standpipe {

namespace {

std::optional<std::uint64_t> number_in(const char* path) {
  std::ifstream file(path);
  std::string text;
  if (!(file >> text)) return std::nullopt;
  const auto number = parse_integer(text);  // "max" is none
  if (!number || *number <= 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

/// FNV-1a: names a folder, guards nothing.
std::uint32_t short_hash(std::string_view text) {
  std::uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

}  // namespace

std::uint64_t memory_budget_bytes(std::optional<std::uint64_t> wish) {
  if (wish) return *wish;
  auto memory =
      static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGE_SIZE));
  for (const char* limit : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    if (const auto bytes = number_in(limit); bytes && *bytes < memory) memory = *bytes;
  }
  return memory / 4;
}

void tune_allocator() {
  // Large blocks come from the system and go back to it at once. Left alone, the allocator would raise this bound with
  // the first of them that is freed, and threads that free each other's slabs would leave its heaps in shreds.
  ::mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  ::mallopt(M_TRIM_THRESHOLD, 8 << 20);
}

void give_idle_memory_back() {
  if (BlockCache::free_idle() > 0) ::malloc_trim(0);
}

std::string state_root(const std::string& given, const std::string& agent, const std::string& configuration) {
  if (!given.empty()) return given;
  std::error_code ignored;
  const std::string place = std::filesystem::absolute(configuration, ignored).lexically_normal().string();
  return fmt::format("{}/.standpipe/{}-{:08x}", home_directory(), agent, short_hash(place));
}

Result<StateLock> StateLock::take(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::string path = folder + "/lock";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return Status(Code::io,
                  fmt::format("{}: {}; give another folder with -Dstandpipe.state.dir", path, std::strerror(errno)));
  }
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    char holder[32] = {};
    const ssize_t n = ::pread(descriptor, holder, sizeof holder - 1, 0);
    ::close(descriptor);
    return Status(Code::unavailable,
                  fmt::format("{} is in use by process {}; stop it, or give this agent a folder of its own with "
                              "-Dstandpipe.state.dir",
                              folder, n > 0 ? trim(holder) : "?"));
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  const bool written = ::ftruncate(descriptor, 0) == 0 && ::pwrite(descriptor, pid.data(), pid.size(), 0) > 0;
  static_cast<void>(written);  // the pid is for a message only
  return StateLock(descriptor);
}

StateLock::StateLock(StateLock&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }

StateLock::~StateLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

namespace {
// Not a SIGUSR: those belong to operators.
const int kWake = SIGRTMIN;
}  // namespace

void SignalWait::wake() { ::pthread_kill(waiting_, kWake); }

SignalWait::SignalWait() : waiting_(::pthread_self()) {
  struct sigaction hangup {};
  ::sigaction(SIGHUP, nullptr, &hangup);
  hangup_ignored_ = hangup.sa_handler == SIG_IGN;
  // In the foreground of a terminal a hang-up means that the terminal is gone.
  hangup_reloads_ = !(::isatty(STDIN_FILENO) == 1 && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp());
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, kWake}) sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

ServiceSignal SignalWait::wait(std::chrono::milliseconds limit) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, kWake}) sigaddset(&set, signal);
  timespec time{};
  time.tv_sec = limit.count() / 1000;
  time.tv_nsec = limit.count() % 1000 * 1'000'000;
  const int signal = ::sigtimedwait(&set, nullptr, &time);
  if (signal == SIGTERM || signal == SIGINT) return ServiceSignal::stop;
  if (signal == kWake) return ServiceSignal::wake;
  if (signal != SIGHUP || hangup_ignored_) return ServiceSignal::none;
  return hangup_reloads_ ? ServiceSignal::reload : ServiceSignal::stop;
}

}  // namespace standpipe
