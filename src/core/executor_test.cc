#include "core/executor.h"

#include <future>
#include <memory>

#include <gtest/gtest.h>

#include "base/clock.h"

namespace standpipe {
namespace {

TEST(EngineThread, FlushWaitsForATaskUnderWayAndForWhatItHolds) {
  SystemClock clock;
  EngineThread engine(clock);
  std::promise<void> begun;
  std::promise<void> may_end;
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = held;
  engine.post([&, held = std::move(held)] {
    begun.set_value();
    may_end.get_future().wait();
  });
  begun.get_future().wait();
  auto flushed = std::async(std::launch::async, [&] { engine.flush(); });
  EXPECT_FALSE(watched.expired());
  may_end.set_value();
  flushed.get();
  EXPECT_TRUE(watched.expired());
}

TEST(EngineThread, FlushOnTheThreadItselfReturns) {
  SystemClock clock;
  EngineThread engine(clock);
  bool returned = false;
  engine.post([&] {
    engine.flush();
    returned = true;
  });
  engine.flush();
  EXPECT_TRUE(returned);
}

}  // namespace
}  // namespace standpipe
