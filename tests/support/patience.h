#pragma once

#include <chrono>

namespace standpipe::testing {

/// How long a test waits for what must happen. Only a test that fails waits that long; sanitizers slow everything down.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::chrono::seconds kPatience{60};
#else
inline constexpr std::chrono::seconds kPatience{10};
#endif

}  // namespace standpipe::testing
