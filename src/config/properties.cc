#include "config/properties.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "codec/charset.h"
#include "codec/utf8.h"

namespace standpipe {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }

std::optional<char32_t> parse_hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  char32_t value = 0;
  for (const char c : text.substr(0, 4)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    value = value << 4U | static_cast<char32_t>(digit);
  }
  return value;
}

/// Walks over one text. Works on one logical line at a time, which needs no buffer unless it is continued.
class Parser {
 public:
  Parser(std::string_view text, std::uint32_t file, std::string_view file_name, Diagnostics& diagnostics)
      : text_(text), file_(file), file_name_(file_name), diagnostics_(diagnostics) {}

  std::vector<PropertyLine> run() {
    while (at_ < text_.size()) read_logical_line();
    if (latin1_comment_line_ != 0 && !reported_latin1_) report_latin1(Severity::note, latin1_comment_line_, {});
    return std::move(lines_);
  }

 private:
  /// The rest of the natural line, without its end; moves behind it.
  std::string_view natural_line() {
    ++line_;
    const std::size_t end = std::min(text_.find_first_of("\r\n", at_), text_.size());
    const std::string_view line = text_.substr(at_, end - at_);
    at_ = end;
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] == '\n' && (at_ == end || text_[at_ - 1] == '\r')) ++at_;
    return line;
  }

  static std::string_view without_leading_blanks(std::string_view line) {
    while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
    return line;
  }

  static bool continues(std::string_view line) {
    std::size_t backslashes = 0;
    while (backslashes < line.size() && line[line.size() - 1 - backslashes] == '\\') ++backslashes;
    return backslashes % 2 == 1;
  }

  void read_logical_line() {
    const std::string_view natural = natural_line();
    std::string_view line = without_leading_blanks(natural);
    if (line.empty()) return;
    if (line.front() == '#' || line.front() == '!') {
      if (latin1_comment_line_ == 0 && !utf8::is_valid(line)) latin1_comment_line_ = line_;
      return;
    }
    PropertyLine property;
    property.file = file_;
    property.first_line = line_;
    property.indented = line.size() != natural.size();
    if (continues(line)) {
      joined_.assign(line.substr(0, line.size() - 1));
      bool more = true;
      while (more && at_ < text_.size()) {
        const std::string_view next = without_leading_blanks(natural_line());
        more = continues(next);
        joined_.append(more ? next.substr(0, next.size() - 1) : next);
      }
      line = joined_;
    }
    property.last_line = line_;
    if (!utf8::is_valid(line)) {
      decoded_ = to_utf8(line, "ISO-8859-1");
      line = decoded_;
      property.latin1 = true;
    }
    split_line(line, property);
    if (property.latin1) report_latin1(Severity::warning, property.first_line, property.key);
    lines_.push_back(std::move(property));
  }

  void split_line(std::string_view line, PropertyLine& property) {
    std::size_t key_end = 0;
    while (key_end < line.size() && line[key_end] != '=' && line[key_end] != ':' && !is_blank(line[key_end])) {
      key_end += line[key_end] == '\\' ? 2 : 1;
    }
    key_end = std::min(key_end, line.size());
    property.key = unescape(line.substr(0, key_end), property);
    std::string_view rest = line.substr(key_end);
    if (!rest.empty()) property.separator = ' ';
    const std::string_view behind_key = rest;
    rest = without_leading_blanks(rest);
    if (!rest.empty() && (rest.front() == '=' || rest.front() == ':')) {
      property.separator = rest.front();
      rest = without_leading_blanks(rest.substr(1));
    }
    property.gap = behind_key.substr(0, behind_key.size() - rest.size());
    property.value = unescape(rest, property);
  }

  std::string unescape(std::string_view text, const PropertyLine& property) {
    std::size_t backslash = text.find('\\');
    if (backslash == std::string_view::npos) return std::string(text);
    std::string out;
    out.reserve(text.size());
    std::size_t at = 0;
    while (backslash != std::string_view::npos) {
      out.append(text, at, backslash - at);
      at = backslash + 1;
      if (at == text.size()) break;
      at = append_escape(out, text, at, property);
      backslash = text.find('\\', at);
    }
    out.append(text.substr(std::min(at, text.size())));
    return out;
  }

  /// `at` is behind the backslash; returns where the text goes on.
  std::size_t append_escape(std::string& out, std::string_view text, std::size_t at, const PropertyLine& property) {
    switch (text[at]) {
      case 't': out.push_back('\t'); return at + 1;
      case 'n': out.push_back('\n'); return at + 1;
      case 'r': out.push_back('\r'); return at + 1;
      case 'f': out.push_back('\f'); return at + 1;
      case 'u': return append_unicode(out, text, at + 1, property);
      default: out.push_back(text[at]); return at + 1;  // the backslash is dropped
    }
  }

  std::size_t append_unicode(std::string& out, std::string_view text, std::size_t at, const PropertyLine& property) {
    const auto unit = parse_hex4(text.substr(at));
    if (!unit) {
      report_malformed(property);
      out.append("\\u");
      return at;
    }
    at += 4;
    const bool high = *unit >= 0xD800 && *unit <= 0xDBFF;
    const bool escape_follows = text.substr(at).starts_with("\\u");
    const auto low = high && escape_follows ? parse_hex4(text.substr(at + 2)) : std::nullopt;
    if (low && *low >= 0xDC00 && *low <= 0xDFFF) {
      utf8::append(out, 0x10000 + ((*unit - 0xD800) << 10U) + (*low - 0xDC00));
      return at + 6;
    }
    utf8::append(out, *unit);
    return at;
  }

  void report_malformed(const PropertyLine& property) {
    if (malformed_line_ == property.first_line) return;  // one message a line is enough
    malformed_line_ = property.first_line;
    Diagnostic found;
    found.severity = Severity::error;
    found.code = DiagnosticCode::syntax;
    found.file = file_name_;
    found.line = property.first_line;
    found.key = property.key;
    found.message = "\\u is not followed by four hexadecimal digits";
    found.suggestion = "write two backslashes for a literal backslash";
    found.consequence = "the text is kept as written";
    diagnostics_.push_back(std::move(found));
  }

  void report_latin1(Severity severity, std::uint32_t line, std::string_view key) {
    if (reported_latin1_) return;
    reported_latin1_ = true;
    Diagnostic found;
    found.severity = severity;
    found.code = DiagnosticCode::encoding;
    found.file = file_name_;
    found.line = line;
    found.key = key;
    found.message = key.empty() ? "a comment is not UTF-8" : "the line is not UTF-8";
    found.suggestion = "save the file as UTF-8";
    found.consequence = key.empty() ? "nothing: only comments are affected" : "such lines are read as ISO-8859-1";
    diagnostics_.push_back(std::move(found));
  }

  std::string_view text_;
  std::uint32_t file_;
  std::string_view file_name_;
  Diagnostics& diagnostics_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 0;
  std::vector<PropertyLine> lines_;
  std::string joined_;
  std::string decoded_;
  std::uint32_t malformed_line_ = 0;
  std::uint32_t latin1_comment_line_ = 0;
  bool reported_latin1_ = false;
};

void report_utf16(std::string_view file_name, Diagnostics& diagnostics) {
  Diagnostic found;
  found.severity = Severity::warning;
  found.code = DiagnosticCode::encoding;
  found.file = file_name;
  found.line = 1;
  found.message = "the file is UTF-16";
  found.suggestion = "save the file as UTF-8";
  found.consequence = "it is read as UTF-16";
  diagnostics.push_back(std::move(found));
}

/// By its mark; files without one are taken for UTF-8.
bool is_utf16(std::string_view bytes) { return bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF"); }

std::string from_utf16(std::string_view bytes) {
  return to_utf8(bytes.substr(2), bytes.starts_with("\xFE\xFF") ? "UTF-16BE" : "UTF-16LE");
}

void append_escaped(std::string& out, std::string_view text, bool key) {
  bool leading = true;
  for (const char c : text) {
    const bool blank = c == ' ';
    switch (c) {
      case '\t': out += "\\t"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\f': out += "\\f"; break;
      case '\\':
      case '=':
      case ':':
      case '#':
      case '!': (out += '\\') += c; break;
      case ' ':
        if (key || leading) out += '\\';
        out += ' ';
        break;
      default: out += c;
    }
    leading = leading && blank;
  }
}

}  // namespace

std::vector<PropertyLine> parse_properties(std::string_view bytes, std::uint32_t file_index, std::string_view file_name,
                                           Diagnostics& diagnostics) {
  if (bytes.starts_with(kByteOrderMark)) {
    return Parser(bytes.substr(kByteOrderMark.size()), file_index, file_name, diagnostics).run();
  }
  if (is_utf16(bytes)) {
    report_utf16(file_name, diagnostics);
    const std::string text = from_utf16(bytes);
    return Parser(text, file_index, file_name, diagnostics).run();
  }
  return Parser(bytes, file_index, file_name, diagnostics).run();
}

std::string properties_as_utf8(std::string_view bytes) {
  if (is_utf16(bytes)) return from_utf16(bytes);
  if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  std::string text;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size() - 1) + 1;
    const std::string_view line = bytes.substr(0, end);
    text += utf8::is_valid(line) ? std::string(line) : to_utf8(line, "ISO-8859-1");
    bytes.remove_prefix(end);
  }
  return text;
}

std::string format_property(std::string_view key, std::string_view value) {
  std::string out;
  out.reserve(key.size() + value.size() + 4);
  // At the start of a file it would be the byte-order mark.
  if (key.starts_with(kByteOrderMark)) {
    out += "\\uFEFF";
    key.remove_prefix(kByteOrderMark.size());
  }
  append_escaped(out, key, true);
  out += '=';
  append_escaped(out, value, false);
  return out;
}

}  // namespace standpipe
