#include "sources/exec/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

extern char** environ;

namespace standpipe {

namespace {

constexpr int kPipeBytes = 1 << 20;  // fewer turns between a fast writer and us

/// Both ends closed on exec and, unless released, at the end.
class Pipe {
 public:
  Pipe() = default;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    for (const int end : ends_) {
      if (end >= 0) ::close(end);
    }
  }
  bool open() { return ::pipe2(ends_.data(), O_CLOEXEC) == 0; }
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  int release_read_end() { return std::exchange(ends_[0], -1); }
  int release_write_end() { return std::exchange(ends_[1], -1); }

 private:
  std::array<int, 2> ends_{-1, -1};
};

/// A group of its own, and none of our signal settings.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    ::posix_spawnattr_init(&attributes_);
    sigset_t set;
    ::sigemptyset(&set);
    ::posix_spawnattr_setsigmask(&attributes_, &set);
    ::sigfillset(&set);
    ::posix_spawnattr_setsigdefault(&attributes_, &set);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

class SpawnActions {
 public:
  SpawnActions() { ::posix_spawn_file_actions_init(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  void connect(int from, int to) { ::posix_spawn_file_actions_adddup2(&actions_, from, to); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

}  // namespace

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& argv) {
  Pipe input;
  Pipe output;
  Pipe errors;
  if (!input.open() || !output.open() || !errors.open()) {
    return Status(Code::io, fmt::format("can't make a pipe for '{}': {}", argv[0], std::strerror(errno)));
  }
  SpawnActions actions;
  actions.connect(input.read_end(), STDIN_FILENO);
  actions.connect(output.write_end(), STDOUT_FILENO);
  actions.connect(errors.write_end(), STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : argv) arguments.push_back(const_cast<char*>(word.c_str()));  // exec's signature
  arguments.push_back(nullptr);

  pid_t pid = -1;
  const int error =
      ::posix_spawnp(&pid, arguments[0], actions.get(), SpawnAttributes().get(), arguments.data(), environ);
  if (error != 0) {
    return Status(error == ENOENT ? Code::not_found : Code::io,
                  fmt::format("can't run '{}': {}", argv[0], std::strerror(error)));
  }
  ChildProcess child(pid);
  child.input_ = input.release_write_end();
  child.output_ = output.release_read_end();
  child.errors_ = errors.release_read_end();
  child.end_ = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  ::fcntl(child.output_, F_SETFL, O_NONBLOCK);
  ::fcntl(child.errors_, F_SETFL, O_NONBLOCK);
  ::fcntl(child.output_, F_SETPIPE_SZ, kPipeBytes);  // a wish: it stays smaller where the system says no
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      input_(std::exchange(other.input_, -1)),
      output_(std::exchange(other.output_, -1)),
      errors_(std::exchange(other.errors_, -1)),
      end_(std::exchange(other.end_, -1)) {}

ChildProcess::~ChildProcess() {
  for (const int descriptor : {input_, output_, errors_, end_}) {
    if (descriptor >= 0) ::close(descriptor);
  }
  if (pid_ < 0) return;
  signal(SIGKILL);
  reap();
}

void ChildProcess::signal(int number) {
  if (pid_ <= 0) return;
  ::kill(-pid_, number);
  ::kill(pid_, number);  // it may have left its group (setsid)
}

bool ChildProcess::has_ended() const {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_;
}

int ChildProcess::reap() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace standpipe
