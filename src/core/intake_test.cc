#include "core/intake.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/clock.h"
#include "support/engine_parts.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

class IntakeTest : public ::testing::Test {
 protected:
  Result<std::shared_ptr<Slab>> wait(std::size_t bytes, std::stop_token stop = {}) {
    return wait_for_slab(environment_, bytes, std::chrono::milliseconds(3000), stop);
  }

  VirtualClock clock_;
  testing::TestEnvironment world_{"r1", clock_, real_file_system()};
  MemoryBudget budget_{1000, 25};
  Environment environment_{"a1",    "r1",           "", world_.log, clock_, world_.environment.files, nullptr,
                           budget_, world_.counters};
};

TEST_F(IntakeTest, GivesMemoryThatIsChargedWhileItLives) {
  {
    const auto slab = wait(700);
    ASSERT_TRUE(slab.ok());
    EXPECT_EQ(budget_.used(), 700u);
  }
  EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(IntakeTest, MoreThanTheShareIsPoison) { EXPECT_EQ(wait(751).status().code(), Code::poison); }

TEST_F(IntakeTest, WaitsUntilSomethingIsReleased) {
  auto first = wait(700);
  std::jthread other([&] {
    EXPECT_TRUE(testing::eventually([&] { return clock_.waiters() == 1; }));
    first.value().reset();
    clock_.advance(std::chrono::milliseconds(10));
  });
  EXPECT_TRUE(wait(700).ok());
}

TEST_F(IntakeTest, GivesUpAfterTheKeepAliveAndAtStop) {
  const auto first = wait(700);
  {
    std::jthread time([&](std::stop_token stop) {
      while (!stop.stop_requested()) clock_.advance(std::chrono::milliseconds(10));
    });
    EXPECT_EQ(wait(700).status().code(), Code::full);
  }
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(wait(700, stop.get_token()).status().code(), Code::stopped);
}

}  // namespace
}  // namespace standpipe
