#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace standpipe {

/// Edits (insert, delete, replace, swap neighbours) that turn one word into the other, ignoring ASCII case, up to
/// `limit`; `limit` + 1 when there are more. Words above 128 bytes are never near.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

/// The candidate that a person most likely meant; empty when none is near enough for its length (one edit up to four
/// letters, two up to eight, three above). The first of equally near ones.
std::string_view nearest_word(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace standpipe
