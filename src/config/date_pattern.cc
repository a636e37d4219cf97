#include <ctime>

#include <fmt/format.h>

#include "config/placeholders.h"

namespace standpipe {

namespace {

constexpr std::size_t kLongestPattern = 256;

std::string strftime_text(const char* format, const std::tm& time) {
  char text[64] = {};
  return {text, std::strftime(text, sizeof text, format, &time)};
}

std::string padded(int number, std::size_t width) { return fmt::format("{:0{}}", number, width); }

/// One run of the same letter; false: not a letter that we know.
bool append_field(std::string& out, char letter, std::size_t width, const std::tm& time, int milliseconds) {
  const int half_day_hour = time.tm_hour % 12;
  switch (letter) {
    case 'y': out += width == 2 ? padded(time.tm_year % 100, 2) : padded(time.tm_year + 1900, width); break;
    case 'M':
      if (width >= 3) out += strftime_text(width == 3 ? "%b" : "%B", time);
      if (width < 3) out += padded(time.tm_mon + 1, width);
      break;
    case 'd': out += padded(time.tm_mday, width); break;
    case 'D': out += padded(time.tm_yday + 1, width); break;
    case 'H': out += padded(time.tm_hour, width); break;
    case 'k': out += padded(time.tm_hour == 0 ? 24 : time.tm_hour, width); break;
    case 'h': out += padded(half_day_hour == 0 ? 12 : half_day_hour, width); break;
    case 'K': out += padded(half_day_hour, width); break;
    case 'm': out += padded(time.tm_min, width); break;
    case 's': out += padded(time.tm_sec, width); break;
    case 'S': out += padded(milliseconds, width); break;
    case 'E': out += strftime_text(width >= 4 ? "%A" : "%a", time); break;
    case 'a': out += strftime_text("%p", time); break;
    case 'z': out += strftime_text("%Z", time); break;
    case 'Z': out += strftime_text("%z", time); break;
    default: return false;
  }
  return true;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Copies what stands between quotes; returns where the pattern goes on.
std::size_t append_quoted(std::string& out, std::string_view pattern, std::size_t at) {
  ++at;
  if (at < pattern.size() && pattern[at] == '\'') {
    out.push_back('\'');
    return at + 1;
  }
  while (at < pattern.size() && pattern[at] != '\'') out.push_back(pattern[at++]);
  return at + 1;
}

}  // namespace

std::string format_date(std::string_view pattern, std::chrono::system_clock::time_point now) {
  if (pattern.empty() || pattern.size() > kLongestPattern) return {};
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm time{};
  localtime_r(&seconds, &time);
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const int milliseconds = static_cast<int>(((since % 1000) + 1000) % 1000);
  std::string out;
  for (std::size_t at = 0; at < pattern.size();) {
    if (pattern[at] == '\'') {
      at = append_quoted(out, pattern, at);
      continue;
    }
    if (!is_letter(pattern[at])) {
      out.push_back(pattern[at++]);
      continue;
    }
    std::size_t end = pattern.find_first_not_of(pattern[at], at);
    if (end == std::string_view::npos) end = pattern.size();
    if (!append_field(out, pattern[at], end - at, time, milliseconds)) return {};
    at = end;
  }
  return out;
}

}  // namespace standpipe
