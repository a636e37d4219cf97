#include "standpipe/status.h"

#include <cstdio>
#include <cstdlib>

#include "base/check.h"

namespace standpipe {

void check_failed(const char* file, int line, const char* what) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, what);
  std::abort();
}

std::string_view to_string(Code code) {
  switch (code) {
    case Code::ok: return "ok";
    case Code::invalid: return "invalid";
    case Code::not_found: return "not found";
    case Code::full: return "full";
    case Code::timeout: return "timeout";
    case Code::unavailable: return "unavailable";
    case Code::io: return "i/o error";
    case Code::corrupt: return "corrupt";
    case Code::poison: return "poison";
    case Code::fenced: return "fenced";
    case Code::stopped: return "stopped";
  }
  return "?";
}

Status Status::with_context(std::string_view context) const {
  mark_checked();
  // A colon, unless the context ends with what should stand between.
  const std::string_view between = context.ends_with(' ') ? "" : ": ";
  return {code_, std::string(context).append(between).append(message_)};
}

std::string Status::to_string() const {
  mark_checked();
  if (code_ == Code::ok) return "ok";
  return std::string(standpipe::to_string(code_)) + ": " + message_;
}

#ifdef STANDPIPE_CHECKED_STATUS
void Status::require_checked() const {
  if (checked_ || code_ == Code::ok) return;
  std::fprintf(stderr, "a Status was dropped unseen: %s\n", message_.c_str());
  std::abort();
}
#endif

}  // namespace standpipe
