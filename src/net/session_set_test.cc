#include "net/session_set.h"

#include <gtest/gtest.h>

#include <future>
#include <vector>

#include "support/patience.h"

namespace standpipe {
namespace {

/// Ends when it is told to finish, or later when the test says so.
class FakeSession : public std::enable_shared_from_this<FakeSession> {
 public:
  FakeSession(SessionSet<FakeSession>& set, bool ends_at_once, std::vector<int>& destroyed, int number)
      : set_(set), ends_at_once_(ends_at_once), destroyed_(destroyed), number_(number) {}
  ~FakeSession() { destroyed_.push_back(number_); }

  void finish() {
    finished.set_value();
    if (ends_at_once_) end();
  }
  void end() {
    const auto self = shared_from_this();
    set_.remove(*this);
  }

  std::promise<void> finished;

 private:
  SessionSet<FakeSession>& set_;
  const bool ends_at_once_;
  std::vector<int>& destroyed_;
  const int number_;
};

class SessionSetTest : public ::testing::Test {
 protected:
  std::shared_ptr<FakeSession> add(bool ends_at_once) {
    auto session = std::make_shared<FakeSession>(set, ends_at_once, destroyed, next++);
    network->run([&] { set.add(session); });
    return session;
  }

  SystemClock clock;
  std::unique_ptr<Network> network = make_network();
  Counter open;
  std::vector<int> destroyed;
  SessionSet<FakeSession> set{open};
  int next = 0;
};

TEST_F(SessionSetTest, KeepsAndCountsThem) {
  add(true);
  const auto second = add(true);
  EXPECT_EQ(open.value(), 2);
  EXPECT_TRUE(destroyed.empty()) << "nobody else keeps the first";
  network->run([&] { second->end(); });
  EXPECT_EQ(open.value(), 1);
  network->run([&] { set.for_each([](FakeSession& session) { session.end(); }); });
  EXPECT_EQ(open.value(), 0);
  EXPECT_EQ(destroyed, std::vector<int>{0});
}

TEST_F(SessionSetTest, AVisitMayEndOthers) {
  const auto first = add(true);
  const auto second = add(true);
  int visits = 0;
  network->run([&] {
    set.for_each([&](FakeSession&) {
      if (++visits > 1) return;
      first->end();
      second->end();
    });
  });
  EXPECT_EQ(visits, 2);
  EXPECT_EQ(open.value(), 0);
}

TEST_F(SessionSetTest, StopWaitsForThoseThatHaveSomethingToAnswer) {
  add(true);
  const auto slow = add(false);
  auto finished = slow->finished.get_future();
  auto stopping = std::async(std::launch::async, [&] { set.stop(*network, clock, testing::kPatience); });
  ASSERT_EQ(finished.wait_for(testing::kPatience), std::future_status::ready);
  EXPECT_EQ(stopping.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  network->run([&] { slow->end(); });
  stopping.get();
  EXPECT_EQ(open.value(), 0);
}

TEST_F(SessionSetTest, StopDropsThoseThatDoNotEnd) {
  add(false);
  set.stop(*network, clock, std::chrono::milliseconds(1));
  EXPECT_EQ(open.value(), 0);
  EXPECT_EQ(destroyed, std::vector<int>{0});
  set.stop(*network, clock, testing::kPatience);  // none is left to wait for
}

}  // namespace
}  // namespace standpipe
