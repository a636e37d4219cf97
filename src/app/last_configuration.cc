#include "app/last_configuration.h"

#include "io/file_system.h"

namespace standpipe {

namespace {
constexpr std::uint64_t kMaxBytes = 16u << 20;
std::string path_in(const std::string& state_root) { return state_root + "/last-configuration.properties"; }
}  // namespace

Status store_last_configuration(const std::string& state_root, std::span<const ConfigText> texts) {
  if (texts.size() != 1) return {};  // a node is one text
  const auto before = read_file(real_file_system(), path_in(state_root), kMaxBytes);
  if (before.ok() && *before == texts.front().bytes) return {};
  TRY(real_file_system().make_directories(state_root));
  return write_file_atomically(real_file_system(), path_in(state_root), texts.front().bytes, 0600);
}

Result<ConfigText> read_last_configuration(const std::string& state_root) {
  TRY_ASSIGN(std::string bytes, read_file(real_file_system(), path_in(state_root), kMaxBytes));
  return ConfigText{path_in(state_root), std::move(bytes)};
}

}  // namespace standpipe
