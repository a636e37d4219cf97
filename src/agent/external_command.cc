#include "agent/external_command.h"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

extern char** environ;

namespace standpipe {

namespace {

constexpr std::size_t kMaxOutput = 1u << 20;
using SteadyClock = std::chrono::steady_clock;

/// Reads until the other end closes; an empty Status when all was read in time.
Status read_all(int descriptor, SteadyClock::time_point deadline, std::string& output) {
  char buffer[4096];
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
    pollfd waiting{descriptor, POLLIN, 0};
    const int ready = left <= 0 ? 0 : ::poll(&waiting, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return {Code::timeout, "took too long and was ended"};
    const ssize_t n = ::read(descriptor, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return {};
    output.append(buffer, static_cast<std::size_t>(n));
    if (output.size() > kMaxOutput) return {Code::invalid, "wrote more than 1 MiB"};
  }
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

  std::string output;
  const Status read = read_all(ends[0], SteadyClock::now() + limit, output);
  ::close(ends[0]);
  if (!read.ok()) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!read.ok()) return read.with_context(command[0] + " ");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Status(Code::unavailable, fmt::format("{} ended with status {}", command[0],
                                                 WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)));
  }
  return output;
}

}  // namespace standpipe
