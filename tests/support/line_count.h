#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace standpipe::testing {

/// How often each line stands in the files below `folder`: what sinks wrote, for who counts losses and duplicates.
inline std::map<std::string, int> count_lines(const std::string& folder) {
  std::map<std::string, int> counts;
  std::error_code missing;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, missing)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) ++counts[line];
  }
  return counts;
}

}  // namespace standpipe::testing
