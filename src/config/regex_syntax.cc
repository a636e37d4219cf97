#include "config/regex_syntax.h"

#include <fmt/format.h>

namespace standpipe {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Scanner {
 public:
  explicit Scanner(std::string_view pattern) : pattern_(pattern) {}

  std::string run() {
    // In comments mode (?x) blanks and '#' have other meanings: not judged.
    if (pattern_.find("(?x") != std::string_view::npos) return {};
    while (problem_.empty() && at_ < pattern_.size()) step();
    if (problem_.empty() && open_groups_ > 0) problem_ = "a '(' is never closed";
    return problem_;
  }

 private:
  void step() {
    const char c = pattern_[at_];
    switch (c) {
      case '\\': escape(); return;
      case '[': character_class(); return;
      case '{': count(); return;
      case '(':
        ++open_groups_;
        atom_ = false;
        ++at_;
        if (at_ < pattern_.size() && pattern_[at_] == '?') ++at_;  // (?:…): not a quantifier
        return;
      case ')':
        if (open_groups_-- == 0) problem_ = "a ')' closes nothing";
        atom_ = true;
        ++at_;
        return;
      case '*':
      case '+':
      case '?':
        if (!atom_) problem_ = fmt::format("'{}' has nothing before it to repeat", c);
        ++at_;
        if (at_ < pattern_.size() && (pattern_[at_] == '?' || pattern_[at_] == '+')) ++at_;
        return;
      case '|': atom_ = false; break;
      default: atom_ = true;  // '^' and '$' included: Java lets them be repeated
    }
    ++at_;
  }

  void escape() {
    if (at_ + 1 == pattern_.size()) {
      problem_ = "it ends with a lone backslash";
      return;
    }
    const char kind = pattern_[at_ + 1];
    at_ += 2;
    atom_ = true;
    const auto skip_behind = [this](std::string_view end) {
      const std::size_t found = pattern_.find(end, at_);
      at_ = found == std::string_view::npos ? pattern_.size() : found + end.size();
    };
    if (kind == 'Q') skip_behind("\\E");
    const bool braces =
        (kind == 'p' || kind == 'P' || kind == 'x' || kind == 'N') && at_ < pattern_.size() && pattern_[at_] == '{';
    if (braces) skip_behind("}");
  }

  void character_class() {
    std::size_t depth = 0;
    bool first = true;  // a ']' right behind '[' or '[^' stands for itself
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_];
      if (c == '\\') {
        escape();
        if (!problem_.empty()) return;
        first = false;
        continue;
      }
      ++at_;
      if (c == '[') {
        ++depth;
        first = true;
        if (at_ < pattern_.size() && pattern_[at_] == '^') ++at_;
        continue;
      }
      if (c == ']' && !first && --depth == 0) {
        atom_ = true;
        return;
      }
      first = false;
    }
    problem_ = "a '[' is never closed";
  }

  /// "{2}", "{2,}", "{2,3}"; anything else is an error in Java.
  void count() {
    std::size_t at = at_ + 1;
    const std::size_t digits = at;
    while (at < pattern_.size() && is_digit(pattern_[at])) ++at;
    const bool number = at > digits;
    if (at < pattern_.size() && pattern_[at] == ',') ++at;
    while (at < pattern_.size() && is_digit(pattern_[at])) ++at;
    if (!number || !atom_) {
      problem_ = "'{' begins no count such as {2} or {2,3}; a literal one is written \\\\{";
    } else if (at == pattern_.size() || pattern_[at] != '}') {
      problem_ = fmt::format("the count '{}' is not closed by a '}}'",
                             pattern_.substr(at_, std::min<std::size_t>(at - at_, 20)));
    }
    at_ = at + 1;
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  std::size_t open_groups_ = 0;
  bool atom_ = false;
  std::string problem_;
};

}  // namespace

std::string regex_problem(std::string_view pattern) { return Scanner(pattern).run(); }

}  // namespace standpipe
