#include "config/own_folders.h"

#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include "base/home.h"

namespace standpipe {

namespace {

/// One spelling for each folder: absolute, without "..", links followed as far as the path exists here.
std::string resolved(const std::string& folder) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(expand_home(folder), error);
  std::filesystem::path path = std::filesystem::weakly_canonical(absolute, error);
  if (error) path = absolute.lexically_normal();
  if (!path.has_filename() && path.has_relative_path()) path = path.parent_path();  // "/a/" is "/a"
  return path.string();
}

std::vector<std::string> folders_of(const Settings& settings, const Option& option) {
  if (option.kind == Kind::comma_list) return settings.list(option.name);
  return {settings.text(option.name)};
}

}  // namespace

void OwnFolders::take(ComponentCheck& check, const ComponentNode& made, const EntryMap& properties,
                      std::string_view prefix) {
  for (const Option& option : made.info->options) {
    const auto given = properties.find(option.name);
    if (!option.own_folder || given == properties.end() || !made.settings.has(option.name)) continue;
    const std::string key = fmt::format("{}{}", prefix, option.name);
    for (const std::string& folder : folders_of(made.settings, option)) {
      if (folder.empty()) continue;
      const auto [other, is_new] = named_by_.try_emplace(resolved(folder), key);
      if (is_new) continue;
      check.fail(DiagnosticCode::shared_folder, *given->second,
                 fmt::format("{} is a folder of {} already", check.quoted(*given->second, folder), other->second),
                 fmt::format("give each a folder of its own: {} = …", key));
    }
  }
}

}  // namespace standpipe
