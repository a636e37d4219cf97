#include "sinks/file_roll/path_manager.h"

#include <fmt/format.h>

namespace standpipe::file_roll {

PathManager::PathManager(Scheme scheme, std::string folder, std::string prefix, std::string extension, Clock& clock)
    : scheme_(scheme),
      folder_(std::move(folder)),
      prefix_(std::move(prefix)),
      extension_(std::move(extension)),
      clock_(clock),
      created_ms_(clock.now_ms()) {}

std::string PathManager::stem() {
  if (scheme_ == Scheme::counter) return fmt::format("{}", created_ms_);
  const CivilTime now = civil_time(clock_.now_ms(), zone_);
  std::string second =
      fmt::format("{:04}{:02}{:02}{:02}{:02}{:02}", now.year, now.month, now.day, now.hour, now.minute, now.second);
  if (second != last_second_) index_ = 0;
  last_second_ = second;
  return second;
}

std::string PathManager::next() {
  const std::string text = stem();
  std::string path = fmt::format("{}/{}{}-{}", folder_, prefix_, text, ++index_);
  if (!extension_.empty()) path += "." + extension_;
  return path;
}

}  // namespace standpipe::file_roll
