#include "io/external_command.h"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "io/stream.h"

extern char** environ;

namespace standpipe {

namespace {

constexpr std::size_t kMaxOutput = 1u << 20;
using SteadyClock = std::chrono::steady_clock;

Status watch(pid_t child, SteadyClock::time_point deadline) {
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  if (handle < 0) return {Code::io, "could not be watched"};
  Status ended = wait_readable(handle, deadline);
  ::close(handle);
  return ended;
}

int reap(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

/// Starts it with `output` as its standard output, as the leader of a process group of its own.
Result<pid_t> start(const std::vector<std::string>& command, int output) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  pid_t child = -1;
  const int error = ::posix_spawnp(&child, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return child;
  return Status(Code::not_found, fmt::format("{} could not be started: {}", command[0], std::strerror(error)));
}

}  // namespace

Result<std::string> run_external_command(const std::vector<std::string>& command, std::chrono::milliseconds limit) {
  if (command.empty()) return Status(Code::invalid, "there is no command");
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Status(Code::io, fmt::format("pipe: {}", std::strerror(errno)));
  const Result<pid_t> child = start(command, ends[1]);
  ::close(ends[1]);
  if (!child.ok()) {
    ::close(ends[0]);
    return child.status();
  }

  const SteadyClock::time_point deadline = SteadyClock::now() + limit;
  Result<std::string> output = read_stream(ends[0], deadline, kMaxOutput);
  ::close(ends[0]);
  const Status failure = output.ok() ? watch(*child, deadline) : output.status();
  // Not reaped yet: the number still means this group and no other.
  if (!failure.ok()) ::kill(-*child, SIGKILL);
  const int status = reap(*child);
  if (!failure.ok()) return failure.with_context(command[0] + " ");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Status(Code::unavailable, fmt::format("{} ended with status {}", command[0],
                                                 WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)));
  }
  return output;
}

}  // namespace standpipe
