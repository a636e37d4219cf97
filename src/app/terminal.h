#pragma once

#include <string>
#include <string_view>

namespace standpipe {

inline constexpr int kExitUsage = 2;  ///< the command line makes no sense

/// To standard output.
void print(std::string_view text);

/// "Error: <message>" on standard error; returns `status`, for `return fail(…)`.
int fail(const std::string& message, int status);

}  // namespace standpipe
