#pragma once

#include <chrono>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "config/load.h"
#include "standpipe/status.h"

namespace standpipe {

/// Where an agent's configuration text comes from. Whether something changed is told by content, never by a time
/// stamp. One thread at a time.
class ConfigurationSource {
 public:
  virtual ~ConfigurationSource() = default;
  /// All texts; the failure names the one that can't be read. Bounded in size and time.
  virtual Result<std::vector<ConfigText>> read() = 0;
  /// How often one looks whether it changed, unless told otherwise.
  virtual std::chrono::seconds default_interval() const = 0;
};

/// Files and URLs, in the order given (later ones win key by key).
class FilesAndUrls final : public ConfigurationSource {
 public:
  struct Location {
    std::string name;      ///< as the user gave it: what diagnostics call it
    std::string user;      ///< basic authorization, for http(s) only; empty: none
    std::string password;  ///< never printed
  };

  /// A user and password that stand in a URL are taken out of its name.
  explicit FilesAndUrls(std::vector<Location> locations);

  /// Bounded: 16 MiB and 60 s each. A pipe (`-f <(template)`) is read the first time only and then stays as it was.
  Result<std::vector<ConfigText>> read() override;
  /// How often Flume looks: 30 s, or 300 s as soon as one is a URL.
  std::chrono::seconds default_interval() const override;

 private:
  Result<std::string> read(const Location& location);
  Result<std::string> read_path(const std::string& path);

  std::vector<Location> locations_;
  std::map<std::string, std::string> streams_;  // what pipes gave: they can be read once only
};

/// load_configuration() over this process: the built-in components, its environment, -D properties, and external
/// commands (run without a shell, ended after 60 s). What is secret in the result is hidden from now on (keep_secret).
Configuration load_for_process(std::span<const ConfigText> texts,
                               std::map<std::string, std::string, std::less<>> system_properties);

}  // namespace standpipe
