#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace standpipe {

/// Without what Java's trim() removes at both ends: every byte up to and including the blank.
std::string_view trim(std::string_view text);

/// Parts between `separator`; an empty text has none, "a,,b" has three.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Words between runs of white space; never an empty one.
std::vector<std::string_view> split_words(std::string_view text);

/// ASCII only, as configuration keywords are.
std::string to_lower(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);

/// Java's Long.parseLong after trimming: optional sign, decimal digits, nothing else.
std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<double> parse_real(std::string_view text);

}  // namespace standpipe
