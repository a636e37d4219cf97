#include "core/intake.h"

#include <fmt/format.h>

#include "base/clock.h"

namespace standpipe {

namespace {
// Releases come from everywhere and wake nobody: that would cost each of them. Who has to wait looks again now and
// then.
constexpr std::chrono::milliseconds kLookAgain{10};
}  // namespace

Result<std::shared_ptr<Slab>> wait_for_slab(Environment& environment, std::size_t capacity,
                                            std::chrono::milliseconds at_most, std::stop_token stop) {
  MemoryBudget& budget = environment.budget;
  if (capacity > budget.intake_limit()) {
    return Status(Code::poison,
                  fmt::format("{} bytes are more than the memory budget can ever give a source ({} of {}): "
                              "raise -Xmx",
                              capacity, budget.intake_limit(), budget.limit()));
  }
  const Clock::Steady deadline = environment.clock.steady_now() + at_most;
  for (;;) {
    if (auto slab = Slab::try_make(capacity, budget, MemoryBudget::Use::intake)) return slab;
    if (environment.clock.steady_now() >= deadline) {
      return Status(Code::full,
                    fmt::format("the memory budget is used up ({} of {} bytes): sinks do not keep up, or it "
                                "is too small (-Xmx)",
                                budget.used(), budget.limit()));
    }
    if (!environment.clock.sleep_for(kLookAgain, stop)) return Status(Code::stopped, "the source is stopping");
  }
}

}  // namespace standpipe
