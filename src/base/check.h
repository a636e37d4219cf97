#pragma once

namespace standpipe {

/// Prints "file:line: what" and aborts. For our own bugs only: whatever the outside world does is a Status.
[[noreturn]] void check_failed(const char* file, int line, const char* what);

}  // namespace standpipe

#define CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::standpipe::check_failed(__FILE__, __LINE__, #condition))
