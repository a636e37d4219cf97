#include "config/tidy.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/odd_text.h"
#include "config/spelling.h"

namespace standpipe {

namespace {

constexpr std::string_view kFullWidthEquals = "\xEF\xBC\x9D";
constexpr std::string_view kFullWidthColon = "\xEF\xBC\x9A";

/// Text of a notebook or a manual round the configuration: never part of a value.
bool is_fence(std::string_view key) {
  return key.starts_with("```") || key.starts_with("\"\"\"") || key.starts_with("'''") || key.starts_with("---") ||
         key.starts_with("===");
}

bool is_template_line(std::string_view key) {
  return key.starts_with("{%") || key.starts_with("{#") || key.starts_with("{{") || key.starts_with("<%");
}

std::string_view without_suffix_s(std::string_view part) {
  return part.ends_with('s') ? part.substr(0, part.size() - 1) : part;
}

class Tidier {
 public:
  Tidier(std::vector<PropertyLine>& lines, std::string_view file_name, Diagnostics& diagnostics)
      : lines_(lines), file_name_(file_name), diagnostics_(diagnostics) {}

  void run() {
    std::vector<PropertyLine> kept;
    kept.reserve(lines_.size());
    for (PropertyLine& line : lines_) {
      if (drop_foreign_line(line)) continue;
      repair_separator(line);
      repair_key(line);
      if (!kept.empty() && join_wrapped(kept.back(), line)) continue;
      kept.push_back(std::move(line));
    }
    lines_ = std::move(kept);
  }

 private:
  Diagnostic& report(Severity severity, DiagnosticCode code, const PropertyLine& line, std::string message) {
    Diagnostic found;
    found.severity = severity;
    found.code = code;
    found.file = file_name_;
    found.line = line.first_line;
    found.key = line.key;
    found.message = std::move(message);
    return diagnostics_.emplace_back(std::move(found));
  }

  bool drop_foreign_line(const PropertyLine& line) {
    if (line.key.starts_with("//")) {
      Diagnostic& found = report(Severity::warning, DiagnosticCode::syntax, line, "'//' does not begin a comment");
      found.suggestion = "comments begin with '#'";
      found.consequence = "the line is ignored";
      return true;
    }
    if (is_template_line(line.key)) {
      Diagnostic& found =
          report(Severity::error, DiagnosticCode::template_text, line, "the line belongs to a template");
      found.suggestion = "render the template first, then check its result";
      found.consequence = "the line is ignored";
      return true;
    }
    return false;
  }

  void report_odd(const PropertyLine& line, char32_t character, std::string_view where) {
    Diagnostic& found = report(Severity::warning, DiagnosticCode::odd_character, line,
                               fmt::format("{} {}", describe_character(character), where));
    found.suggestion = "type the line anew instead of copying it";
    found.consequence = "it is read as the plain character";
  }

  /// "a.b ＝ c": the full-width sign is no separator for Java, so it ended up in the key or before the value.
  void repair_separator(PropertyLine& line) {
    if (line.separator == '=' || line.separator == ':') return;
    const std::size_t in_key = std::min(line.key.find(kFullWidthEquals), line.key.find(kFullWidthColon));
    if (in_key != std::string::npos) {
      const std::string rest = line.key.substr(in_key + kFullWidthEquals.size()) + line.gap + line.value;
      line.key.resize(in_key);
      accept_separator(line, rest);
    } else if (line.value.starts_with(kFullWidthEquals) || line.value.starts_with(kFullWidthColon)) {
      accept_separator(line, line.value.substr(kFullWidthEquals.size()));
    }
  }

  void accept_separator(PropertyLine& line, const std::string& value) {
    line.value = plain_ends(value).text;
    line.value = trim(line.value);
    line.separator = '=';
    line.gap = " = ";
    report_odd(line, 0xFF1D, "stands for '='");
  }

  void repair_key(PropertyLine& line) {
    OddText plain = plain_text(line.key, true);
    if (!plain.changed()) return;
    std::erase(plain.text, ' ');  // a blank can't have been meant inside a name
    line.key = std::move(plain.text);
    report_odd(line, plain.first_odd, "in the name");
  }

  /// Whether `line` is the rest of the property before it. Only text that can't be a property of its own is taken.
  bool join_wrapped(PropertyLine& before, const PropertyLine& line) {
    if (line.first_line != before.last_line + 1 || !looks_like_property(before.key)) return false;
    if (line.key.empty() || looks_like_property(line.key) || is_fence(line.key)) return false;
    if (line.separator == '=' && line.key.find('/') == std::string::npos) return false;  // some other key = value
    const std::string_view value = trim(before.value);
    const bool empty = value.empty() && before.separator != 0;
    if (!empty && !goes_on(value, line)) return false;
    const bool tight = !value.empty() && !needs_blank(value, line);
    before.value = fmt::format("{}{}{}{}{}", value, value.empty() || tight ? "" : " ", line.key, line.gap, line.value);
    Diagnostic& found =
        report(Severity::warning, DiagnosticCode::wrapped_value, before, "the value goes on in the next line");
    found.suggestion = "write it in one line, or end the line with a backslash";
    found.consequence = fmt::format("line {} is read as part of the value", line.first_line);
    before.last_line = line.last_line;
    return true;
  }

  static bool goes_on(std::string_view value, const PropertyLine& line) {
    if (value.empty()) return false;
    const bool open_end = value.back() == ',' || value.back() == '|' || value.back() == '/' || value.ends_with("&&");
    const bool open_begin = line.key.front() == '|' || line.key.front() == ',' || line.key.front() == '%' ||
                            line.key.front() == '/' || line.key.starts_with("&&");
    return line.indented || open_end || open_begin;
  }

  static bool needs_blank(std::string_view value, const PropertyLine& line) {
    return !(value.back() == ',' || value.back() == '/' || line.key.front() == ',' || line.key.front() == '%' ||
             (line.key.front() == '/' && value.find(' ') == std::string_view::npos));
  }

  std::vector<PropertyLine>& lines_;
  std::string_view file_name_;
  Diagnostics& diagnostics_;
};

}  // namespace

std::string_view meant_kind(std::string_view part) {
  for (const std::string_view kind : kKinds) {
    if (equals_ignoring_case(kind, part)) return kind;
  }
  for (const std::string_view kind : kKinds) {
    if (equals_ignoring_case(without_suffix_s(kind), part)) return kind;
  }
  if (part.size() < 4) return {};
  return nearest_word(part, {std::begin(kKinds), std::end(kKinds)});
}

bool looks_like_property(std::string_view key) {
  const std::size_t dot = key.find('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  const std::string_view rest = key.substr(dot + 1);
  return !meant_kind(rest.substr(0, rest.find('.'))).empty();
}

void tidy_lines(std::vector<PropertyLine>& lines, std::string_view file_name, Diagnostics& diagnostics) {
  Tidier(lines, file_name, diagnostics).run();
}

}  // namespace standpipe
