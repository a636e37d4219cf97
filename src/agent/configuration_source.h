#pragma once

#include <chrono>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "config/load.h"
#include "standpipe/status.h"

namespace standpipe {

/// Where an agent's configuration text comes from: files and URLs, in the order given (later ones win key by key).
/// Whether something changed is told by content, never by a time stamp. One thread at a time.
class ConfigurationSource {
 public:
  struct Location {
    std::string name;      ///< as the user gave it: what diagnostics call it
    std::string user;      ///< basic authorization, for http(s) only; empty: none
    std::string password;  ///< never printed
  };

  /// A user and password that stand in a URL are taken out of its name.
  explicit ConfigurationSource(std::vector<Location> locations);

  /// Reads them all; the failure names the file or URL. Bounded: 16 MiB and 60 s each. A pipe (`-f <(template)`) is
  /// read the first time only and then stays as it was.
  Result<std::vector<ConfigText>> read() const;
  /// How often Flume looks: 30 s, or 300 s as soon as one is a URL.
  std::chrono::seconds default_interval() const;

 private:
  Result<std::string> read(const Location& location) const;
  Result<std::string> read_path(const std::string& path) const;

  std::vector<Location> locations_;
  mutable std::map<std::string, std::string> streams_;  // what pipes gave: they can be read once only
};

/// load_configuration() over this process: the built-in components, its environment, -D properties, and external
/// commands (run without a shell, ended after 60 s). What is secret in the result is hidden from now on (keep_secret).
Configuration load_for_process(std::span<const ConfigText> texts,
                               std::map<std::string, std::string, std::less<>> system_properties);

}  // namespace standpipe
