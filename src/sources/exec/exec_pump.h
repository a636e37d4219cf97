#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "sources/exec/child_process.h"
#include "sources/exec/output_lines.h"
#include "standpipe/source.h"

namespace standpipe {

struct ExecSettings {
  std::vector<std::string> argv;
  std::string command;  ///< as configured, for messages
  bool restart = false;
  bool log_errors = false;
  std::size_t batch_size = 20;
  std::chrono::milliseconds restart_throttle{10'000};
  std::chrono::milliseconds batch_timeout{3'000};
  std::string charset;
};

/// A descriptor that becomes readable when somebody calls: receipts and stop requests reach poll() through it.
class Wake {
 public:
  Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;
  ~Wake();
  int descriptor() const { return descriptor_; }
  void call();  ///< any thread
  void clear();

 private:
  int descriptor_;
};

/// Brings the output of one run of the command to the channels. One hand-over at a time is under way, while the next
/// batch gathers: order holds, and what found no room is handed over again, unchanged. Meanwhile the pipe fills and the
/// command waits: nothing is lost. One thread.
class ExecPump {
 public:
  ExecPump(const ExecSettings& settings, Environment& environment, Ingest& ingest, ChildProcess child,
           TextDecoder decoder);
  ~ExecPump();

  /// Until the output has ended and is stored, or, after a stop request, a short while later at most. The command's
  /// exit code, or 128 + 9 where it had to be killed.
  int run(std::stop_token stop);

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Arrival;  // the way of a receipt to this thread; outlives the pump

  struct Ready {
    bool output;
    bool errors;
  };

  bool finished() const;
  void begin_stop();
  Ready wait_for_something();
  int wait_ms() const;
  bool wants_output() const;
  void read_output();
  void output_ended();
  bool read_errors();
  void read_last_errors();
  void log_error_lines();
  void deliver_what_is_due();
  bool due() const;
  void deliver();
  void take_answer();
  void answered(const Status& status);
  void next();
  void deliver_one_by_one();
  void try_again_later(const Status& status);
  void give_up(const std::string& why);

  const ExecSettings& settings_;
  Environment& environment_;
  Ingest& ingest_;
  ChildProcess child_;
  OutputLines lines_;
  std::shared_ptr<Arrival> arrival_;

  Batch gathering_;
  Time last_flush_;
  std::deque<Batch> under_way_;  // the first one is delivered, and kept to be delivered again
  std::optional<Time> retry_at_;
  std::chrono::milliseconds retry_pause_{0};

  bool output_open_ = true;
  bool errors_open_ = true;
  bool no_memory_ = false;
  std::optional<Time> give_up_at_;  // set by a stop request
  std::string error_text_;          // of stderr, behind the last line end
  std::int64_t error_lines_ = 0;

  Counter& received_;
  Counter& accepted_;
};

}  // namespace standpipe
