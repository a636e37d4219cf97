#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "standpipe/status.h"

namespace standpipe {

/// A running command in a process group of its own, with its output and errors on pipes and an input that stays open
/// and empty. The direct child is not reaped before the end, so its group's number can't come to mean another one.
/// One thread; the destructor kills what is left of the group.
class ChildProcess {
 public:
  /// Code::not_found or Code::io, naming the program, when it can't be run. `argv` is not empty.
  static Result<ChildProcess> start(const std::vector<std::string>& argv);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();

  /// Descriptors to poll and read, never blocking.
  int output() const { return output_; }
  int errors() const { return errors_; }
  /// Becomes readable when the direct child has ended; -1 where the system has no such thing.
  int end_descriptor() const { return end_; }

  /// Sends a signal to the whole group.
  void signal(int number);
  bool has_ended() const;
  /// Waits for the direct child; its exit code as a shell gives it: 128 + n where signal n ended it. Once, at the end.
  int reap();

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  int errors_ = -1;
  int end_ = -1;
};

}  // namespace standpipe
