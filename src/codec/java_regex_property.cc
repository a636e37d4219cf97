#include <algorithm>
#include <array>
#include <utility>

#include "codec/java_regex_syntax.h"

namespace standpipe {

namespace {

using Row = std::pair<std::string_view, std::string_view>;

constexpr std::array<Row, 13> kPosix = {{{"Lower", "a-z"},
                                         {"Upper", "A-Z"},
                                         {"ASCII", "\\x00-\\x7f"},
                                         {"Alpha", "a-zA-Z"},
                                         {"Digit", "0-9"},
                                         {"Alnum", "a-zA-Z0-9"},
                                         {"Punct", "!-\\/:-@\\[-`{-~"},
                                         {"Graph", "!-~"},
                                         {"Print", " -~"},
                                         {"Blank", " \\t"},
                                         {"Cntrl", "\\x00-\\x1f\\x7f"},
                                         {"XDigit", "0-9a-fA-F"},
                                         {"Space", " \\t-\\r"}}};

// The same names under (?U).
constexpr std::array<Row, 11> kUnicodePosix = {{{"Lower", "\\p{Lowercase}"},
                                                {"Upper", "\\p{Uppercase}"},
                                                {"ASCII", "\\x00-\\x7f"},
                                                {"Alpha", "\\p{Alphabetic}"},
                                                {"Digit", "\\p{Nd}"},
                                                {"Alnum", "\\p{Alphabetic}\\p{Nd}"},
                                                {"Punct", "\\p{P}"},
                                                {"Blank", "\\p{Zs}\\t"},
                                                {"Cntrl", "\\p{Cc}"},
                                                {"XDigit", "\\p{Nd}\\p{Hex_Digit}"},
                                                {"Space", "\\p{White_Space}"}}};

constexpr std::array<Row, 14> kJava = {
    {{"javaLowerCase", "\\p{Lowercase}"},
     {"javaUpperCase", "\\p{Uppercase}"},
     {"javaTitleCase", "\\p{Lt}"},
     {"javaAlphabetic", "\\p{Alphabetic}"},
     {"javaIdeographic", "\\p{Ideographic}"},
     {"javaDigit", "\\p{Nd}"},
     {"javaLetter", "\\p{L}"},
     {"javaLetterOrDigit", "\\p{L}\\p{Nd}"},
     {"javaSpaceChar", "\\p{Z}"},
     {"javaISOControl", "\\x00-\\x1f\\x7f-\\x{9f}"},
     {"javaWhitespace",
      "\\t-\\r\\x1c- \\x{1680}\\x{2000}-\\x{2006}\\x{2008}-\\x{200a}"
      "\\x{2028}\\x{2029}\\x{205f}\\x{3000}"},
     {"javaDefined", "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Z}\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}"},
     {"L1", "\\x00-\\x{ff}"},
     {"LC", "\\p{Lu}\\p{Ll}\\p{Lt}"}}};

constexpr std::array<Row, 16> kBinary = {
    {{"alphabetic", "\\p{Alphabetic}"},
     {"ideographic", "\\p{Ideographic}"},
     {"letter", "\\p{L}"},
     {"lowercase", "\\p{Lowercase}"},
     {"uppercase", "\\p{Uppercase}"},
     {"titlecase", "\\p{Lt}"},
     {"punctuation", "\\p{P}"},
     {"control", "\\p{Cc}"},
     {"white_space", "\\p{White_Space}"},
     {"whitespace", "\\p{White_Space}"},
     {"digit", "\\p{Nd}"},
     {"hex_digit", "\\p{Nd}\\p{Hex_Digit}"},
     {"hexdigit", "\\p{Nd}\\p{Hex_Digit}"},
     {"join_control", "\\p{Join_Control}"},
     {"joincontrol", "\\p{Join_Control}"},
     {"assigned", "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Z}\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}"}}};

// The blocks that turn up in log patterns; the others are refused.
constexpr std::array<Row, 14> kBlocks = {{{"basiclatin", "\\x00-\\x7f"},
                                          {"latin1supplement", "\\x{80}-\\x{ff}"},
                                          {"latinextendeda", "\\x{100}-\\x{17f}"},
                                          {"greek", "\\x{370}-\\x{3ff}"},
                                          {"greekandcoptic", "\\x{370}-\\x{3ff}"},
                                          {"cyrillic", "\\x{400}-\\x{4ff}"},
                                          {"hebrew", "\\x{590}-\\x{5ff}"},
                                          {"arabic", "\\x{600}-\\x{6ff}"},
                                          {"thai", "\\x{e00}-\\x{e7f}"},
                                          {"hiragana", "\\x{3040}-\\x{309f}"},
                                          {"katakana", "\\x{30a0}-\\x{30ff}"},
                                          {"hangulsyllables", "\\x{ac00}-\\x{d7af}"},
                                          {"cjkunifiedideographs", "\\x{4e00}-\\x{9fff}"},
                                          {"cjksymbolsandpunctuation", "\\x{3000}-\\x{303f}"}}};

constexpr std::array<std::string_view, 37> kCategories = {
    "L",  "Lu", "Ll", "Lt", "Lm", "Lo", "M",  "Mn", "Mc", "Me", "N",  "Nd", "Nl", "No", "P",  "Pc", "Pd", "Ps", "Pe",
    "Pi", "Pf", "Po", "S",  "Sm", "Sc", "Sk", "So", "Z",  "Zs", "Zl", "Zp", "C",  "Cc", "Cf", "Cn", "Co", "Cs"};

template <std::size_t n>
std::string lookup(const std::array<Row, n>& rows, std::string_view name) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.first == name; });
  return found == rows.end() ? std::string() : std::string(found->second);
}

std::string lower(std::string_view text, bool only_letters) {
  std::string result;
  for (const char c : text) {
    if (only_letters && (c == ' ' || c == '_' || c == '-')) continue;
    result += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return result;
}

std::string category(std::string_view name) {
  const bool known = std::find(kCategories.begin(), kCategories.end(), name) != kCategories.end();
  return known ? "\\p{" + std::string(name) + "}" : std::string();
}

/// PCRE2 has the script's name checked when the pattern is compiled.
std::string script(std::string_view name) {
  const bool word = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  });
  return word ? "\\p{sc:" + std::string(name) + "}" : std::string();
}

}  // namespace

std::string regex_property(std::string_view name, bool unicode_classes) {
  if (const auto equals = name.find('='); equals != std::string_view::npos) {
    const std::string key = lower(name.substr(0, equals), false);
    const std::string_view value = name.substr(equals + 1);
    if (key == "sc" || key == "script") return script(value);
    if (key == "blk" || key == "block") return lookup(kBlocks, lower(value, true));
    if (key == "gc" || key == "general_category") return category(value);
    return {};
  }
  if (name.starts_with("Is")) {
    const std::string_view rest = name.substr(2);
    if (std::string found = lookup(kBinary, lower(rest, false)); !found.empty()) return found;
    if (rest == "LC") return lookup(kJava, rest);
    return rest.size() <= 2 ? category(rest) : script(rest);
  }
  if (name.starts_with("In")) return lookup(kBlocks, lower(name.substr(2), true));
  if (unicode_classes) {
    if (std::string found = lookup(kUnicodePosix, name); !found.empty()) return found;
  }
  if (std::string found = lookup(kPosix, name); !found.empty() && !unicode_classes) return found;
  if (std::string found = lookup(kJava, name); !found.empty()) return found;
  return category(name);
}

}  // namespace standpipe
