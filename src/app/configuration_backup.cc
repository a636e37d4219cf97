#include "app/configuration_backup.h"

#include <fmt/format.h>

#include "config/utf8.h"
#include "io/file_system.h"

namespace standpipe {

namespace {

constexpr std::uint64_t kMaxBytes = 16u << 20;

std::string path_of(const std::string& directory, const std::string& agent) {
  return fmt::format("{}/.{}.properties", directory, agent);
}

void append_unit(std::string& out, unsigned unit) { out += fmt::format("\\u{:04x}", unit); }

/// Java's strings are UTF-16: a character beyond the first 65,536 is two escapes.
void append_escaped(std::string& out, char32_t value) {
  if (value < 0x10000) {
    append_unit(out, value);
    return;
  }
  append_unit(out, 0xD800 + ((value - 0x10000) >> 10));
  append_unit(out, 0xDC00 + ((value - 0x10000) & 0x3FF));
}

}  // namespace

std::string escape_property(std::string_view text, bool is_key) {
  constexpr std::string_view kInKeys = "=:#! ";
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = decode_utf8(text, at);
    const bool whole = point.length != 0;
    const char32_t value = whole ? point.value : static_cast<unsigned char>(text[at]);
    if (value < ' ' || value > '~') {
      append_escaped(out, value);
    } else {
      const char c = static_cast<char>(value);
      const bool leading_blank = !is_key && at == 0 && c == ' ';
      if (c == '\\' || leading_blank || (is_key && kInKeys.find(c) != std::string_view::npos)) out.push_back('\\');
      out.push_back(c);
    }
    at += whole ? point.length : 1;
  }
  return out;
}

Status store_backup(const std::string& directory, const std::string& agent, const Configuration& configuration) {
  std::string text = "# The configuration that ran last, kept by --backup-directory.\n";
  for (const auto& [key, value] : configuration.resolved) {
    text += fmt::format("{} = {}\n", escape_property(key, true), escape_property(value, false));
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
