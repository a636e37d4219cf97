#pragma once

#include <string>

#include "standpipe/headers.h"

namespace standpipe::testing {

/// An event as a client of a test sends it, or a server gets it.
struct SentEvent {
  Headers headers;
  std::string body;
};

}  // namespace standpipe::testing
