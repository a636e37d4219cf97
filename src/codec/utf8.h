#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace standpipe::utf8 {

/// Whether no byte has its highest bit set.
bool is_ascii(std::string_view text);
/// Whether `text` is well-formed UTF-8: shortest forms, no surrogates, nothing above U+10FFFF.
bool is_valid(std::string_view text);

/// One step through bytes that may be malformed: how many belong together, and the code point, or kMalformed when they
/// are none (then `size` is the longest piece that one replacement character stands for, as Java counts them).
struct Step {
  std::uint32_t code_point = 0;
  std::size_t size = 0;
};
inline constexpr std::uint32_t kMalformed = 0xffffffff;
Step step(std::string_view text);  ///< `text` is not empty

/// Half of a surrogate pair, or what is beyond U+10FFFF, becomes U+FFFD.
void append(std::string& out, std::uint32_t code_point);
inline constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

/// `text` with every malformed piece replaced by U+FFFD.
void append_replacing(std::string& out, std::string_view text);

/// How many UTF-16 units, Java's measure of length, `text` has; a malformed piece counts as its replacement does.
std::size_t utf16_units(std::string_view text);
/// The size of the longest start of `text` that has at most `units` UTF-16 units and cuts no character. The first
/// character is in it also where it alone is longer, so that who cuts one piece after the other gets to the end.
std::size_t utf16_prefix(std::string_view text, std::size_t units);

}  // namespace standpipe::utf8
