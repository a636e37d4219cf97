#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace standpipe {

/// What users give to the Java machine and what of it means something here: -Dkey=value, -Xmx.
struct JavaOptions {
  std::map<std::string, std::string, std::less<>> properties;
  std::optional<std::uint64_t> heap_bytes;  ///< -Xmx: the wish for the memory budget; Flume's own 20 MiB is ignored
  std::vector<std::string> without_effect;  ///< "-XX:+UseG1GC": one line each says that it does nothing here

  /// Whether `argument` is one for the Java machine (-D, -X, -agentlib, -agentpath, -javaagent, -server, -ea …), and
  /// then takes it in.
  bool take(std::string_view argument);
  /// The words of JAVA_OPTS, quotes as a shell takes them.
  void take_words(std::string_view words);
};

/// "512m", "1g", "65536", "64K": bytes.
std::optional<std::uint64_t> parse_heap_size(std::string_view text);

/// Runs `<conf_dir>/flume-env.sh` in bash as Flume's script does, takes over what it exports into this process's
/// environment, and adds JAVA_OPTS and FLUME_JAVA_OPTS to `options` (before what the command line says). Returns
/// messages for the operator ("Sourcing environment configuration script …").
std::vector<std::string> read_environment_script(const std::string& conf_dir, JavaOptions& options);

}  // namespace standpipe
