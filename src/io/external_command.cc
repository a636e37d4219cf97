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

/// Until the child has ended. One that does not in time is killed.
Status await_end(pid_t child, SteadyClock::time_point deadline, int& status) {
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  Status ended = handle < 0 ? Status(Code::io, "could not be watched") : wait_readable(handle, deadline);
  if (handle >= 0) ::close(handle);
  if (!ended.ok()) ::kill(child, SIGKILL);
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return ended;
}

}  // namespace

Result<std::string> run_external_command(const std::vector<std::string>& command, std::chrono::seconds limit) {
  if (command.empty()) return Status(Code::invalid, "there is no command");
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);

  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Status(Code::io, fmt::format("pipe: {}", std::strerror(errno)));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  pid_t child = -1;
  const int error = ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (error != 0) {
    ::close(ends[0]);
    return Status(Code::not_found, fmt::format("{} could not be started: {}", command[0], std::strerror(error)));
  }

  const SteadyClock::time_point deadline = SteadyClock::now() + limit;
  Result<std::string> output = read_stream(ends[0], deadline, kMaxOutput);
  ::close(ends[0]);
  int status = 0;
  const Status ended = await_end(child, output.ok() ? deadline : SteadyClock::time_point(), status);
  if (!output.ok()) return output.status().with_context(command[0] + " ");
  if (!ended.ok()) return ended.with_context(command[0] + " ");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Status(Code::unavailable, fmt::format("{} ended with status {}", command[0],
                                                 WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)));
  }
  return output;
}

}  // namespace standpipe
