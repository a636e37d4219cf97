#pragma once

#include <string_view>

namespace standpipe {

/// A named place where a test makes the program fail. Armed through the environment variable STANDPIPE_FAILPOINTS at
/// start: "name=kill@3,other=sabotage" (kill: SIGKILL the process at the third pass; sabotage: every pass returns
/// true). Compiled in only with STANDPIPE_FAILPOINTS; otherwise the macro is the constant false and costs nothing.
///
/// FAILPOINT("taildir.after_deliver");                  // a place to be killed at
/// if (!FAILPOINT("memory.skip_commit")) commit();      // a sabotage: the test meant for it must notice
#ifdef STANDPIPE_FAILPOINTS
bool failpoint_hit(std::string_view name);
#define FAILPOINT(name) (::standpipe::failpoint_hit(name))
#else
constexpr bool no_failpoint() { return false; }  // a call, so that it may stand alone as a statement
#define FAILPOINT(name) (::standpipe::no_failpoint())
#endif

}  // namespace standpipe
