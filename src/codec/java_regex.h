#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "standpipe/status.h"

namespace standpipe {

/// What a match found. It points into memory of the calling thread and, for text that is no UTF-8, to a decoded copy
/// there: valid until that thread's next match with any expression.
class RegexMatch {
 public:
  /// What group `index` took (0: the whole match); nothing for a group that did not take part.
  std::optional<std::string_view> group(int index) const {
    if (index < 0 || index >= count_ || offsets_[2 * index] == kUnset) return std::nullopt;
    return text_.substr(offsets_[2 * index], offsets_[2 * index + 1] - offsets_[2 * index]);
  }
  std::size_t begin() const { return offsets_[0]; }  ///< within text()
  std::size_t end() const { return offsets_[1]; }
  /// The text that was searched, with malformed UTF-8 replaced as Java's decoder does.
  std::string_view text() const { return text_; }

 private:
  friend class JavaRegex;
  static constexpr std::size_t kUnset = ~std::size_t{0};
  std::string_view text_;
  const std::size_t* offsets_ = nullptr;
  int count_ = 0;
};

/// A java.util.regex pattern (Java 9 to 17), run by PCRE2. The pattern is translated: what Java has and PCRE2 spells
/// otherwise is re-written, what can't be had is refused by its name and place when it is compiled. Text is UTF-8;
/// malformed bytes count as U+FFFD, as after Java's decoder.
/// A match never allocates, never throws and never runs away: beyond a fixed amount of work it gives up.
/// Immutable; any thread may use it; cheap to copy.
/// Known differences from Java: (?i) without (?u) also joins the cases of letters beyond ASCII; a look-behind needs
/// alternatives of fixed length; \X and \R are atomic.
class JavaRegex {
 public:
  enum class Mode : unsigned char {
    find,  ///< the first match anywhere in the text
    full,  ///< the pattern must take the whole text
  };
  enum class Outcome : unsigned char { match, none, gave_up };

  static Result<JavaRegex> compile(std::string_view pattern, Mode mode = Mode::find);

  Outcome match(std::string_view text, RegexMatch& match) const;
  /// A match and nothing else; false also when it gave up.
  bool matches(std::string_view text) const {
    RegexMatch ignored;
    return match(text, ignored) == Outcome::match;
  }

  /// The parts between matches, without empty ones at the end: Java's String.split(). Mode::find only; for settings.
  std::vector<std::string> split(std::string_view text) const;

  const std::string& pattern() const;
  int groups() const;  ///< without group 0
  /// The group of that name; -1: none.
  int group_of(std::string_view name) const;

 private:
  friend class JavaReplacement;
  struct Compiled;
  struct Subject;
  Subject prepare(std::string_view text) const;
  Outcome run(const Subject& subject, std::size_t from, RegexMatch& match) const;

  std::shared_ptr<const Compiled> compiled_;
};

/// Java's replacement text: $1, ${name}, \$ . Immutable; any thread may use it.
class JavaReplacement {
 public:
  /// Code::invalid for a group that `regex` lacks, a lone `$` or a `\` at the end. `regex` must be of Mode::find.
  static Result<JavaReplacement> compile(std::string_view text, const JavaRegex& regex);

  /// Appends `text` with every match replaced to `out`. Unless it returns Outcome::match, `out` is as before.
  JavaRegex::Outcome replace_all(std::string_view text, std::string& out) const;

 private:
  struct Part {
    std::string literal;
    int group = -1;  // -1: only the literal
  };
  explicit JavaReplacement(JavaRegex regex) : regex_(std::move(regex)) {}
  void append(const RegexMatch& match, std::string& out) const;

  JavaRegex regex_;
  std::vector<Part> parts_;
};

}  // namespace standpipe
