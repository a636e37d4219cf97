#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "standpipe/status.h"

namespace standpipe {

/// What kind of text a translation is for. One pattern has up to three, so that the common text runs the fastest one.
enum class RegexTarget : unsigned char {
  ascii,           ///< text of ASCII bytes only; PCRE2 without its UTF mode
  utf8,            ///< UTF-8 without Java's rarer line ends and without CR LF
  utf8_line_ends,  ///< any UTF-8: Java's line ends spelt out
};

/// A Java pattern in PCRE2's syntax; newline convention ANYCRLF, no other compile option but UTF for the UTF targets.
struct TranslatedRegex {
  std::string pattern;
  int groups = 0;
  std::vector<std::string> names;     ///< by group - 1; empty: unnamed
  bool uses_line_ends = false;        ///< `.`, `^` or `$` depend on what ends a line
  bool uses_line_end_anchor = false;  ///< `$` or \Z, whose place between CR and LF differs
};

/// Code::invalid names the construct and the character it stands at.
Result<TranslatedRegex> translate_java_regex(std::string_view pattern, RegexTarget target);

/// The inside of a bracket class for a property name of \p{…} ("Alpha", "javaLowerCase", "IsHan"); empty: not known.
std::string regex_property(std::string_view name, bool unicode_classes);

}  // namespace standpipe
