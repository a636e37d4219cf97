// One recursive-descent translator: a function for each construct of Java's grammar, in the order of that grammar, over
// one cursor and one set of flags. It stays in one file: taken apart, every piece would need the whole state.

#include "codec/java_regex_syntax.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "codec/utf8.h"

namespace standpipe {

namespace {

constexpr int kDeepest = 100;
constexpr std::size_t kLongest = 64 * 1024;
constexpr std::string_view kNever = "[^\\x00-\\xff]";  // one character that ASCII text never has
constexpr std::string_view kAny = "(?s:.)";
constexpr std::string_view kLineEnds = "\\n\\r\\x{85}\\x{2028}\\x{2029}";

/// One character of the pattern. What stood between \Q and \E is `quoted` and means itself.
struct Unit {
  std::uint32_t c = 0;
  bool quoted = false;
  std::size_t place = 0;  // 1-based, in characters
};

struct Flags {
  bool caseless = false;    // i
  bool multiline = false;   // m
  bool dotall = false;      // s
  bool unix_lines = false;  // d
  bool comments = false;    // x
  bool unicode = false;     // U (u alone needs nothing: PCRE2's UTF mode folds all letters)
};

bool is_digit(std::uint32_t c) { return c >= '0' && c <= '9'; }
bool is_alpha(std::uint32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_blank(std::uint32_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
int hex_value(std::uint32_t c) {
  if (is_digit(c)) return static_cast<int>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<int>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<int>(c - 'A' + 10);
  return -1;
}

std::string hex_escape(std::uint32_t c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string digits;
  for (; c != 0 || digits.empty(); c >>= 4) digits.insert(digits.begin(), kDigits[c & 0xf]);
  return "\\x{" + digits + "}";
}

/// A class inside without what lies beyond ASCII: PCRE2's byte mode has no such characters, nor has the text.
std::string clip_to_ascii(const std::string& inside) {
  std::string out;
  for (std::size_t at = 0; at < inside.size();) {
    if (inside.compare(at, 3, "\\x{") != 0) {
      const std::size_t size = inside[at] == '\\' && at + 1 < inside.size() ? 2 : 1;
      out.append(inside, at, size);
      at += size;
      continue;
    }
    const std::size_t end = inside.find('}', at) + 1;
    if (std::stoul(inside.substr(at + 3, end - at - 4), nullptr, 16) <= 0x7f) {
      out.append(inside, at, end - at);
    } else if (!out.empty() && out.back() == '-') {
      out += "\\x7f";  // the end of a range that begins within
    } else if (inside.compare(end, 4, "-\\x{") == 0) {
      at = inside.find('}', end) + 1;
      continue;
    }
    at = end;
  }
  return out;
}

}  // namespace

/// A recursive descent over the pattern that writes PCRE2's text as it goes.
class RegexTranslator {
 public:
  RegexTranslator(std::string_view pattern, RegexTarget target, int total_groups)
      : pattern_(pattern), target_(target), total_groups_(total_groups) {}

  Result<TranslatedRegex> run() {
    if (pattern_.size() > kLongest) return refuse(1, "the pattern is longer than 64 KiB");
    TRY(split_units());
    TRY(alternatives(0));
    if (at_ < units_.size()) return refuse(units_[at_].place, "a ')' that nothing opened");
    result_.groups = static_cast<int>(result_.names.size());
    result_.pattern = std::move(out_);
    return std::move(result_);
  }

 private:
  // -- input
  // -----------------------------------------------------------------------------------------------------------
  Status split_units() {
    std::size_t place = 0;
    bool quoted = false;
    for (std::string_view rest = pattern_; !rest.empty();) {
      const utf8::Step next = utf8::step(rest);
      ++place;
      if (next.code_point == utf8::kMalformed) return refuse(place, "bytes that are no UTF-8");
      if (rest.starts_with(quoted ? "\\E" : "\\Q")) {
        quoted = !quoted;
        ++place;
        rest.remove_prefix(2);
        continue;
      }
      units_.push_back({next.code_point, quoted, place});
      rest.remove_prefix(next.size);
      if (!quoted && next.code_point == '\\' && !rest.empty()) {  // so that \\Q is a backslash and a Q
        const utf8::Step escaped = utf8::step(rest);
        if (escaped.code_point == utf8::kMalformed) return refuse(place + 1, "bytes that are no UTF-8");
        units_.push_back({escaped.code_point, false, ++place});
        rest.remove_prefix(escaped.size);
      }
    }
    end_place_ = place + 1;
    return {};
  }

  bool done() const { return at_ >= units_.size(); }
  std::size_t place() const { return done() ? end_place_ : units_[at_].place; }
  /// The next character when it is not quoted; 0 at the end or for a quoted one.
  std::uint32_t meta(std::size_t ahead = 0) const {
    return at_ + ahead < units_.size() && !units_[at_ + ahead].quoted ? units_[at_ + ahead].c : 0;
  }
  bool take(std::uint32_t c) {
    if (meta() != c) return false;
    ++at_;
    return true;
  }
  void skip_comments() {
    while (flags_.comments && !done() && (is_blank(meta()) || meta() == '#')) {
      if (meta() == '#') {
        while (!done() && units_[at_].c != '\n') ++at_;
      } else {
        ++at_;
      }
    }
  }
  Status refuse(std::size_t where, const std::string& what) const {
    return {Code::invalid, "regular expression '" + std::string(pattern_.substr(0, 200)) + "': " + what +
                               " (at character " + std::to_string(where) + ")"};
  }

  // -- structure
  // ---------------------------------------------------------------------------------------------------------
  Status alternatives(int depth) {
    if (depth > kDeepest) return refuse(place(), "groups nested deeper than 100");
    for (;;) {
      skip_comments();
      if (done() || meta() == ')') return {};
      if (take('|')) {
        out_ += '|';
        continue;
      }
      const std::size_t start = out_.size();
      assertion_ = false;
      bool repeatable = true;
      TRY(atom(depth, repeatable));
      if (repeatable) TRY(quantifier(start));
    }
  }

  Status atom(int depth, bool& repeatable) {
    const std::size_t where = place();
    if (units_[at_].quoted) {
      literal(units_[at_++].c);
      return {};
    }
    const std::uint32_t c = units_[at_++].c;
    switch (c) {
      case '(': return group(depth, repeatable);
      case '[': {
        TRY_ASSIGN(const std::string text, bracket(where, depth));
        out_ += text;
        return {};
      }
      case '.': dot(); return {};
      case '^': caret(); return {};
      case '$': dollar(false); return {};
      case '\\': return escape(where);
      case '*':
      case '+':
      case '?': return refuse(where, std::string("a '") + static_cast<char>(c) + "' that repeats nothing");
      case '{': return refuse(where, "a '{' that repeats nothing: write \\{ for a brace");
      default: literal(c); return {};
    }
  }

  Status quantifier(std::size_t start) {
    skip_comments();
    const std::uint32_t c = meta();
    std::string text;
    if (c == '*' || c == '+' || c == '?') {
      text = static_cast<char>(c);
      ++at_;
    } else if (c == '{') {
      TRY_ASSIGN(text, braces());
    } else {
      return {};
    }
    skip_comments();
    if (meta() == '?' || meta() == '+') text += static_cast<char>(units_[at_++].c);
    if (assertion_) {  // PCRE2 repeats groups, not assertions
      out_.insert(start, "(?:");
      out_ += ')';
    }
    out_ += text;
    return {};
  }

  Result<std::string> braces() {
    const std::size_t where = place();
    std::string text = "{";
    std::string bounds[2];
    int bound = 0;
    for (++at_; !done() && meta() != '}'; ++at_) {
      if (meta() == ',' && bound == 0) {
        bound = 1;
      } else if (is_digit(meta())) {
        bounds[bound] += static_cast<char>(meta());
      } else {
        return refuse(where, "a '{' without numbers: write \\{ for a brace");
      }
    }
    if (!take('}') || bounds[0].empty()) return refuse(where, "a '{' without numbers: write \\{ for a brace");
    if (bounds[0].size() > 5 || bounds[1].size() > 5 || std::stoi(bounds[0]) > 65'535 ||
        (!bounds[1].empty() && std::stoi(bounds[1]) > 65'535)) {
      return refuse(where, "more than 65535 repetitions");
    }
    if (!bounds[1].empty() && std::stoi(bounds[1]) < std::stoi(bounds[0]))
      return refuse(where, "a repetition range backwards");
    text += bounds[0] + (bound == 1 ? "," : "") + bounds[1] + "}";
    return text;
  }

  Status group(int depth, bool& repeatable) {
    const std::size_t where = units_[at_ - 1].place;
    const Flags outer = flags_;
    if (!take('?')) {
      out_ += '(';
      result_.names.emplace_back();
    } else {
      bool closed = false;
      TRY(group_head(where, closed));
      if (closed) {  // (?i) holds to the end of the group around it
        repeatable = false;
        return {};
      }
    }
    const bool asserts = lookaround_;
    lookaround_ = false;
    TRY(alternatives(depth + 1));
    if (!take(')')) return refuse(where, "a '(' that is never closed");
    out_ += ')';
    flags_ = outer;
    assertion_ = asserts;
    return {};
  }

  /// Behind "(?".
  Status group_head(std::size_t where, bool& closed) {
    switch (meta()) {
      case ':':
      case '>':
      case '=':
      case '!':
        lookaround_ = meta() == '=' || meta() == '!';
        out_ += "(?";
        out_ += static_cast<char>(units_[at_++].c);
        return {};
      case '<':
        if (meta(1) == '=' || meta(1) == '!') {
          lookaround_ = true;
          out_ += meta(1) == '=' ? "(?<=" : "(?<!";
          at_ += 2;
          return {};
        }
        ++at_;
        return named_group(where);
      default: return flag_group(where, closed);
    }
  }

  Status named_group(std::size_t where) {
    TRY_ASSIGN(const std::string name, group_name(where));
    if (std::find(result_.names.begin(), result_.names.end(), name) != result_.names.end()) {
      return refuse(where, "a second group named '" + name + "'");
    }
    result_.names.push_back(name);
    out_ += "(?<" + name + ">";
    return {};
  }

  Result<std::string> group_name(std::size_t where) {
    std::string name;
    while (is_alpha(meta()) || (!name.empty() && is_digit(meta()))) name += static_cast<char>(units_[at_++].c);
    if (name.empty() || !take('>')) return refuse(where, "a group name that is no word, or lacks its '>'");
    if (name.size() > 32) return refuse(where, "a group name longer than 32 letters");
    return name;
  }

  Status flag_group(std::size_t where, bool& closed) {
    bool on = true;
    for (; !done() && meta() != ')' && meta() != ':'; ++at_) {
      switch (meta()) {
        case '-':
          if (!on) return refuse(where, "an unknown group '(?'");
          on = false;
          break;
        case 'i': flags_.caseless = on; break;
        case 'm': flags_.multiline = on; break;
        case 's': flags_.dotall = on; break;
        case 'd': flags_.unix_lines = on; break;
        case 'x': flags_.comments = on; break;
        case 'U': flags_.unicode = on; break;
        case 'u': break;
        default: return refuse(where, "a group '(?' that Java does not know");
      }
    }
    if (done()) return refuse(where, "a '(' that is never closed");
    closed = meta() == ')';
    ++at_;
    out_ += flags_.caseless ? "(?i" : "(?-i";
    out_ += closed ? ')' : ':';
    return {};
  }

  // -- single characters
  // ---------------------------------------------------------------------------------------------------
  bool ascii() const { return target_ == RegexTarget::ascii; }

  void literal(std::uint32_t c) {
    if (c > 0x7f && ascii()) {
      out_ += kNever;
    } else if (c > 0x7f) {
      utf8::append(out_, c);
    } else if (c < ' ' || c == 0x7f) {
      out_ += hex_escape(c);
    } else {
      if (!is_alpha(c) && !is_digit(c) && c != ' ' && c != '_') out_ += '\\';
      out_ += static_cast<char>(c);
    }
  }

  void dot() {
    if (flags_.dotall) {
      out_ += kAny;
    } else if (flags_.unix_lines) {
      out_ += "[^\\n]";
    } else {
      result_.uses_line_ends = true;
      out_ += target_ == RegexTarget::utf8_line_ends ? "[^" + std::string(kLineEnds) + "]" : ".";
    }
  }

  void caret() {
    assertion_ = true;
    if (!flags_.multiline) {
      out_ += '^';
    } else if (flags_.unix_lines) {
      out_ += "(?:^|(?<=\\n)(?!\\z))";
    } else {
      result_.uses_line_ends = true;
      result_.uses_line_end_anchor = true;
      out_ += target_ == RegexTarget::utf8_line_ends
                  ? "(?:^|(?<=[\\n\\x{85}\\x{2028}\\x{2029}])(?!\\z)|(?<=\\r)(?!\\n|\\z))"
                  : "(?m:^)";
    }
  }

  void dollar(bool always_at_end) {
    assertion_ = true;
    const bool multiline = flags_.multiline && !always_at_end;
    if (flags_.unix_lines) {
      out_ += multiline ? "(?=\\n|\\z)" : "(?=\\n?\\z)";
      return;
    }
    result_.uses_line_ends = true;
    result_.uses_line_end_anchor = true;
    if (target_ != RegexTarget::utf8_line_ends) {
      out_ += multiline ? "(?m:$)" : "$";
    } else if (multiline) {
      out_ += "(?=\\z|\\r|(?<!\\r)\\n|[\\x{85}\\x{2028}\\x{2029}])";
    } else {
      out_ += "(?=\\z|\\r\\n\\z|(?<!\\r)\\n\\z|[\\r\\x{85}\\x{2028}\\x{2029}]\\z)";
    }
  }

  void word_boundary(bool negated) {
    assertion_ = true;
    if (ascii()) {
      out_ += negated ? "\\B" : "\\b";
      return;
    }
    // Java counts letters and digits of every script here, though not in \w.
    const std::string word = "[\\p{L}\\p{Nd}_]";
    const std::string before = "(?<=" + word + ")";
    const std::string not_before = "(?<!" + word + ")";
    const std::string after = "(?=" + word + ")";
    const std::string not_after = "(?!" + word + ")";
    out_ += negated ? "(?:" + before + after + "|" + not_before + not_after + ")"
                    : "(?:" + before + not_after + "|" + not_before + after + ")";
  }

  /// Behind a backslash, outside of brackets.
  Status escape(std::size_t where) {
    if (done()) return refuse(where, "a '\\' at the end");
    const std::uint32_t c = units_[at_].c;
    if (const std::string inside = predefined(c); !inside.empty()) {
      ++at_;
      out_ += inside.size() == 2 ? inside : is_upper(c) ? "[^" + inside + "]" : "[" + inside + "]";
      return {};
    }
    switch (c) {
      case 'p':
      case 'P': {
        TRY_ASSIGN(const std::string inside, property());
        out_ += as_class(inside, c == 'P');
        return {};
      }
      case 'A':
      case 'z':
      case 'G':
        ++at_;
        assertion_ = true;
        out_ += '\\';
        out_ += static_cast<char>(c);
        return {};
      case 'Z':
        ++at_;
        dollar(true);
        return {};
      case 'R':
      case 'X':
        ++at_;
        out_ += '\\';
        out_ += static_cast<char>(c);
        return {};
      case 'b':
      case 'B':
        if (meta(1) == '{' && c == 'b' && meta(2) == 'g') return refuse(where, "\\b{g} is not supported");
        ++at_;
        word_boundary(c == 'B');
        return {};
      case 'k': return named_reference(where);
      default: break;
    }
    if (c >= '1' && c <= '9') return reference();
    TRY_ASSIGN(const std::uint32_t value, escaped_character(where));
    literal(value);
    return {};
  }

  Status named_reference(std::size_t where) {
    ++at_;
    if (!take('<')) return refuse(where, "\\k without <name>");
    TRY_ASSIGN(const std::string name, group_name(where));
    if (std::find(result_.names.begin(), result_.names.end(), name) == result_.names.end()) {
      return refuse(where, "no group named '" + name + "' before \\k");
    }
    out_ += "\\k<" + name + ">";
    return {};
  }

  Status reference() {
    // As many digits as name a group that was opened before; the first one always counts.
    int group = static_cast<int>(units_[at_++].c - '0');
    while (is_digit(meta()) && group * 10 + static_cast<int>(meta() - '0') <= static_cast<int>(result_.names.size())) {
      group = group * 10 + static_cast<int>(units_[at_++].c - '0');
    }
    if (group > total_groups_) {
      assertion_ = true;
      out_ += "(?!)";  // Java: never matches
    } else {
      out_ += "\\g{" + std::to_string(group) + "}";
    }
    return {};
  }

  /// The character that an escape stands for, in brackets and outside. At the character behind the backslash.
  Result<std::uint32_t> escaped_character(std::size_t where) {
    const std::uint32_t c = units_[at_++].c;
    switch (c) {
      case 't': return std::uint32_t{'\t'};
      case 'n': return std::uint32_t{'\n'};
      case 'r': return std::uint32_t{'\r'};
      case 'f': return std::uint32_t{'\f'};
      case 'a': return std::uint32_t{7};
      case 'e': return std::uint32_t{27};
      case '0': return octal(where);
      case 'x': return hex(where);
      case 'u': return unicode(where);
      case 'c':
        if (done()) return refuse(where, "\\c without a character");
        return units_[at_++].c ^ 64;
      case 'N': return refuse(where, "\\N{name} is not supported: write \\x{h}");
      default: break;
    }
    if (is_alpha(c) || is_digit(c)) {
      return refuse(where, std::string("the escape \\") + static_cast<char>(c) + " is unknown here");
    }
    return c;
  }

  Result<std::uint32_t> octal(std::size_t where) {
    const auto digit = [&] { return meta() >= '0' && meta() <= '7'; };
    if (!digit()) return refuse(where, "\\0 without octal digits");
    std::uint32_t value = units_[at_++].c - '0';
    const int most = value <= 3 ? 3 : 2;
    for (int used = 1; used < most && digit(); ++used) value = value * 8 + (units_[at_++].c - '0');
    return value;
  }

  std::optional<std::uint32_t> hex_digits(std::size_t count) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const int digit = hex_value(meta(i));
      if (digit < 0) return std::nullopt;
      value = value * 16 + static_cast<std::uint32_t>(digit);
    }
    at_ += count;
    return value;
  }

  Result<std::uint32_t> hex(std::size_t where) {
    if (take('{')) {
      std::uint32_t value = 0;
      bool any = false;
      for (; hex_value(meta()) >= 0 && value <= 0x10ffff; ++at_, any = true) {
        value = value * 16 + static_cast<std::uint32_t>(hex_value(meta()));
      }
      if (!any || value > 0x10ffff || !take('}')) return refuse(where, "\\x{…} without a code point");
      return value;
    }
    if (const auto value = hex_digits(2)) return *value;
    return refuse(where, "\\x without two hexadecimal digits");
  }

  Result<std::uint32_t> unicode(std::size_t where) {
    const auto first = hex_digits(4);
    if (!first) return refuse(where, "\\u without four hexadecimal digits");
    const bool high = *first >= 0xd800 && *first <= 0xdbff;
    if (high && meta() == '\\' && meta(1) == 'u') {
      const std::size_t before = at_;
      at_ += 2;
      const auto second = hex_digits(4);
      if (second && *second >= 0xdc00 && *second <= 0xdfff) {
        return 0x10000 + ((*first - 0xd800) << 10) + (*second - 0xdc00);
      }
      at_ = before;
    }
    if (*first >= 0xd800 && *first <= 0xdfff) return refuse(where, "half of a surrogate pair");
    return *first;
  }

  // -- classes
  // ---------------------------------------------------------------------------------------------------------------
  static bool is_upper(std::uint32_t c) { return c >= 'A' && c <= 'Z'; }

  /// The inside of a class for \d and its like; two characters: PCRE2's own escape, which negates itself. Under (?U)
  /// the inside is the positive one also for \D. Empty: none of them.
  std::string predefined(std::uint32_t c) const {
    switch (c) {
      case 'h':
      case 'H':
      case 'v':
      case 'V': return std::string("\\") + static_cast<char>(c);
      case 'd':
      case 'D':
      case 'w':
      case 'W':
      case 's':
      case 'S': break;
      default: return {};
    }
    if (!flags_.unicode) return std::string("\\") + static_cast<char>(c);
    switch (c | 0x20) {
      case 'd': return "\\p{Nd}";
      case 's': return "\\p{White_Space}";
      default: return "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}";
    }
  }

  std::string as_class(const std::string& inside, bool negated) const {
    const std::string clipped = ascii() ? clip_to_ascii(inside) : inside;
    if (clipped.empty()) return std::string(negated ? kAny : kNever);
    return (negated ? "[^" : "[") + clipped + "]";
  }

  /// At the p of \p{…}; leaves the position behind it.
  Result<std::string> property() {
    const std::size_t where = place();
    ++at_;
    std::string name;
    if (take('{')) {
      while (!done() && meta() != '}' && name.size() < 64) utf8::append(name, units_[at_++].c);
      if (!take('}')) return refuse(where, "\\p{ that is never closed");
    } else if (!done()) {
      utf8::append(name, units_[at_++].c);
    }
    std::string inside = regex_property(name, flags_.unicode);
    if (inside.empty()) return refuse(where, "the property \\p{" + name + "} is not supported");
    return inside;
  }

  /// One operand of &&: what stands directly in the brackets, and each nested class as a pattern of its own.
  struct Operand {
    std::string inside;
    std::vector<std::string> nested;
    bool seen = false;  // something stood there, though it may be nothing in ASCII
  };

  std::string class_character(std::uint32_t c) const {
    if (is_alpha(c) || is_digit(c)) return std::string(1, static_cast<char>(c));
    return hex_escape(c);
  }

  /// Behind '['; leaves the position behind its ']'. Returns a pattern that takes exactly one character.
  Result<std::string> bracket(std::size_t where, int depth) {
    if (depth > kDeepest) return refuse(where, "classes nested deeper than 100");
    const bool negated = take('^');
    std::vector<Operand> operands(1);
    for (;;) {
      skip_comments();
      if (done()) return refuse(where, "a '[' that is never closed");
      Operand& operand = operands.back();
      if (meta() == ']' && (operand.seen || operands.size() > 1)) {
        ++at_;
        break;
      }
      if (meta() == '&' && meta(1) == '&') {
        at_ += 2;
        if (operand.seen) operands.emplace_back();
        continue;
      }
      operand.seen = true;
      if (meta() == '[') {
        const std::size_t inner = place();
        ++at_;
        TRY_ASSIGN(std::string nested, bracket(inner, depth + 1));
        operand.nested.push_back(std::move(nested));
        continue;
      }
      TRY(class_item(operand));
    }
    if (operands.size() > 1 && !operands.back().seen) operands.pop_back();
    return join(operands, negated);
  }

  Status class_item(Operand& operand) {
    const std::size_t where = place();
    if (meta() == '\\') {
      if (at_ + 1 >= units_.size()) return refuse(where, "a '\\' at the end");
      const std::uint32_t c = units_[at_ + 1].c;
      if (const std::string inside = predefined(c); !inside.empty()) {
        at_ += 2;
        add_set(operand, inside, inside.size() != 2 && is_upper(c));
        return {};
      }
      if (c == 'p' || c == 'P') {
        ++at_;
        TRY_ASSIGN(const std::string inside, property());
        add_set(operand, inside, c == 'P');
        return {};
      }
    }
    TRY_ASSIGN(const std::uint32_t first, class_single());
    skip_comments();
    std::uint32_t last = first;
    if (meta() == '-' && at_ + 1 < units_.size() && meta(1) != ']' && meta(1) != '[') {
      ++at_;
      skip_comments();
      if (meta() == '\\' && at_ + 1 < units_.size() && !predefined(units_[at_ + 1].c).empty()) {
        return refuse(where, "a range that ends in a class");
      }
      TRY_ASSIGN(last, class_single());
      if (last < first) return refuse(where, "a range backwards");
    }
    add_range(operand, first, last);
    return {};
  }

  Result<std::uint32_t> class_single() {
    if (done()) return refuse(end_place_, "a '[' that is never closed");
    const std::size_t where = place();
    if (meta() != '\\') return units_[at_++].c;
    ++at_;
    if (done()) return refuse(where, "a '\\' at the end");
    if (is_digit(units_[at_].c) && units_[at_].c != '0') return refuse(where, "a back reference in a class");
    return escaped_character(where);
  }

  void add_set(Operand& operand, const std::string& inside, bool negated) {
    if (negated) {
      operand.nested.push_back(as_class(inside, true));
    } else {
      operand.inside += ascii() ? clip_to_ascii(inside) : inside;
    }
  }

  void add_range(Operand& operand, std::uint32_t first, std::uint32_t last) {
    if (ascii()) {
      if (first > 0x7f) return;
      last = std::min<std::uint32_t>(last, 0x7f);
    }
    operand.inside += class_character(first);
    if (last != first) operand.inside += '-' + class_character(last);
  }

  std::string join(const std::vector<Operand>& operands, bool negated) const {
    if (operands.size() == 1 && operands[0].nested.empty()) return as_class(operands[0].inside, negated);
    // PCRE2 has no nested classes: unions become alternatives, intersections look ahead.
    std::string all;
    for (std::size_t i = operands.size(); i-- > 0;) {
      const std::string one = one_of(operands[i]);
      all += i == 0 ? one : "(?=" + one + ")";
    }
    if (negated) return "(?:(?!" + all + ")" + std::string(kAny) + ")";
    return operands.size() == 1 ? all : "(?:" + all + ")";
  }

  std::string one_of(const Operand& operand) const {
    if (operand.nested.empty()) return as_class(operand.inside, false);
    std::string text = "(?:";
    if (!operand.inside.empty()) text += as_class(operand.inside, false) + "|";
    for (const std::string& nested : operand.nested) text += nested + "|";
    text.back() = ')';
    return text;
  }

  std::string_view pattern_;
  RegexTarget target_;
  int total_groups_;
  std::vector<Unit> units_;
  std::size_t end_place_ = 1;
  std::size_t at_ = 0;
  Flags flags_;
  bool assertion_ = false;   // what was written last takes no character
  bool lookaround_ = false;  // the group that was just opened is one
  std::string out_;
  TranslatedRegex result_;
};

Result<TranslatedRegex> translate_java_regex(std::string_view pattern, RegexTarget target) {
  // Twice: a back reference may name a group that opens behind it.
  TRY_ASSIGN(const TranslatedRegex counted, RegexTranslator(pattern, target, 0).run());
  if (counted.groups > 1000) return Status(Code::invalid, "a regular expression with more than 1000 groups");
  return RegexTranslator(pattern, target, counted.groups).run();
}

}  // namespace standpipe
