#include "app/configuration_backup.h"

#include <fmt/format.h>

#include "config/properties.h"
#include "io/file_system.h"

namespace standpipe {

namespace {

constexpr std::uint64_t kMaxBytes = 16u << 20;

std::string path_of(const std::string& directory, const std::string& agent) {
  return fmt::format("{}/.{}.properties", directory, agent);
}

/// What was resolved is not resolved again: "${" is written as "$${".
std::string without_placeholders(std::string_view value) {
  std::string text;
  for (std::size_t at = 0; at < value.size(); ++at) {
    if (value.substr(at).starts_with("${")) text += '$';
    text += value[at];
  }
  return text;
}

}  // namespace

Status store_backup(const std::string& directory, const std::string& agent, const Configuration& configuration) {
  std::string text = "# The configuration that ran last, kept by --backup-directory.\n";
  for (const auto& [key, value] : configuration.resolved) {
    text += format_property(key, without_placeholders(value)) + "\n";
  }
  TRY(real_file_system().make_directories(directory));
  return write_file_atomically(real_file_system(), path_of(directory, agent), text, 0600);
}

Result<ConfigText> read_backup(const std::string& directory, const std::string& agent) {
  const std::string path = path_of(directory, agent);
  TRY_ASSIGN(std::string bytes, read_file(real_file_system(), path, kMaxBytes));
  return ConfigText{path, std::move(bytes)};
}

}  // namespace standpipe
