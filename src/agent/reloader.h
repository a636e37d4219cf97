#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agent/agent.h"
#include "agent/configuration_source.h"
#include "config/load.h"

namespace standpipe {

/// Applies changed configurations to an agent: looks at the content at an interval, reads it again a second later and
/// applies what is the same both times, so that a file that is just being written is not taken half. A configuration
/// that would remove or break something that runs is refused whole and named in the log; the agent goes on as it was.
/// One thread.
class Reloader {
 public:
  using Texts = std::vector<ConfigText>;
  using Properties = std::map<std::string, std::string, std::less<>>;
  /// Called with each configuration that runs from now on, and the texts that it was read from.
  using Applied = std::function<void(const Configuration&, const Texts&)>;
  /// Both outlive it.
  Reloader(Agent& agent, ConfigurationSource& source, Properties system_properties, Applied applied = {});

  /// The configuration that the agent starts with, and the texts that it was read from. `unreadable`: why these are not
  /// the source's, which can't be read now; it has been logged.
  Status apply_first(const Configuration& configuration, Texts texts, std::string unreadable = {});

  /// How long to wait before look(); `interval_s` 0: the source's default.
  std::chrono::milliseconds until_next_look(int interval_s);
  bool look_is_due() const;
  /// Reads the texts; when they changed, reads them again in a second and then applies them.
  void look();
  /// The same without waiting for the interval's end: the source has something new.
  void look_now();
  /// Reads and applies at once (SIGHUP).
  void reload_now();

 private:
  Result<Texts> read();
  void apply(const Texts& texts);
  void tell(const Configuration& configuration) const;

  Agent& agent_;
  ConfigurationSource& source_;
  const Properties system_properties_;
  const Applied tell_;
  Texts applied_;           // the texts that were applied or refused last
  Texts candidate_;         // changed texts, seen once
  Diagnostics accepted_;    // of the running configuration
  std::string unreadable_;  // why the source can't be read, as the log has it; empty: it can
  std::chrono::steady_clock::time_point next_look_{};
};

/// Diagnostics as log lines: errors and warnings by their weight, notes at INFO.
void log_diagnostics(const Diagnostics& diagnostics);

}  // namespace standpipe
