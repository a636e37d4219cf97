#pragma once

#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "crash/agent_life.h"
#include "crash/durable_file_ingest.h"
#include "standpipe/component.h"
#include "support/test_environment.h"

namespace standpipe::crash {

struct Interval {
  std::int64_t from;
  std::int64_t to;
};

/// Ends the program, saying why, in a build that can't be tortured. With 77: ctest counts it as skipped.
void leave_thread_sanitizer_out();

/// One source over a DurableFileIngest, in one process after the other that this one forks and kills. What they store
/// stands in `<folder>/stored`, a line "run <number>" before each life; what they log in `<folder>/agent.log`.
class Agents {
 public:
  struct Subject {
    const SourceFactory& source;
    Settings::Map settings;
    DurableFileIngest::Options channel;
    std::string sabotage;  ///< failure point that is armed in every life; empty: none
  };

  Agents(std::string folder, Subject subject);

  /// Starts an agent that kills itself at `failpoint` in its `pass`; an empty name: never.
  void start(const std::string& failpoint = {}, int pass = 0);
  /// Waits until it ended by itself: true. False after `limit_us`, or when `enough` says so.
  bool wait_for_end(std::int64_t limit_us, const std::function<bool()>& enough);
  void end(int signal);
  /// Until nothing was stored for a second.
  void wait_for_silence() const;

  const std::string& folder() const { return folder_; }
  std::string stored_path() const { return folder_ + "/stored"; }
  int runs() const { return runs_; }
  const std::vector<Interval>& ran() const { return ran_; }           ///< when the machine let them run
  std::size_t starved() const { return starved_; }                    ///< gaps in that
  const std::map<std::string, int>& kills() const { return kills_; }  ///< by failure point; "by force"

 private:
  /// A kill can tear the channel's last write. No receipt was completed for it: it is not stored.
  void cut_torn_line() const;
  [[noreturn]] void live();
  void beat(const DurableFileIngest& channel, pid_t source_thread, const std::stop_token& stop);
  void note_life();

  const std::string folder_;
  const Subject subject_;
  AgentLife* life_ = nullptr;
  pid_t process_ = -1;
  std::string failpoint_;
  int runs_ = 0;
  std::vector<Interval> ran_;
  std::size_t starved_ = 0;
  std::map<std::string, int> kills_;
};

}  // namespace standpipe::crash
