#include "channels/file/flume/names.h"

#include <charconv>
#include <limits>

namespace standpipe::file_channel::flume {

namespace {
constexpr std::string_view kLog = "log-";
constexpr std::string_view kCheckpointFiles[] = {"checkpoint",     "inflightputs",   "inflighttakes",
                                                 "checkpoint.tmp", "queueset",       "checkpoint.snappy",
                                                 "backupComplete", "checkpoint.meta"};
}  // namespace

std::optional<std::uint32_t> parse_log_name(std::string_view name) {
  if (!name.starts_with(kLog)) return std::nullopt;
  name.remove_prefix(kLog.size());
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = error == std::errc() && end == name.data() + name.size() && name.front() != '-';
  return whole ? std::optional<std::uint32_t>(static_cast<std::uint32_t>(number)) : std::nullopt;
}

bool is_name_of_flume(std::string_view name) {
  for (const std::string_view known : kCheckpointFiles) {
    if (name == known) return true;
  }
  if (name.starts_with("checkpoint-backup-")) return true;
  const std::string_view log = name.substr(0, name.find('.'));
  const std::string_view rest = name.substr(log.size());
  return parse_log_name(log) && (rest.empty() || rest.starts_with(".meta"));
}

}  // namespace standpipe::file_channel::flume
