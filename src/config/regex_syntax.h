#pragma once

#include <string>
#include <string_view>

namespace standpipe {

/// Why java.util.regex would refuse a pattern, for the slips that people make: brackets that are not closed, counts
/// that are none, quantifiers with nothing before them, a backslash at the end. Empty: no such slip (the full grammar
/// is checked where the pattern is compiled). Linear in the pattern's length.
std::string regex_problem(std::string_view pattern);

}  // namespace standpipe
