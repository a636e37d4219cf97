#include "net/name_lookup.h"

#include <condition_variable>
#include <future>
#include <map>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/patience.h"

namespace standpipe {
namespace {

/// A name server that answers when it is told to. Shared with threads that may outlive the test.
struct Server {
  std::string ask(const std::string& address) {
    std::unique_lock lock(mutex);
    ++asked[address];
    changed.notify_all();
    changed.wait(lock, [this] { return !silent; });
    return "host-of-" + address;
  }
  void answer() {
    std::lock_guard lock(mutex);
    silent = false;
    changed.notify_all();
  }
  bool wait_for_questions(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, testing::kPatience, [&] { return asked.size() >= count; });
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, int> asked;
  bool silent = false;
};

class NameLookupTest : public ::testing::Test {
 protected:
  NameLookupTest() {
    lookup = std::make_unique<NameLookup>(
        *network, clock, [server = server](const std::string& address) { return server->ask(address); });
  }
  ~NameLookupTest() override {
    server->answer();
    network->run([this] { lookup = nullptr; });
  }

  std::future<std::string> find(const std::string& address) {
    auto promise = std::make_shared<std::promise<std::string>>();
    network->run([&] { lookup->find(address, [promise](const std::string& name) { promise->set_value(name); }); });
    return promise->get_future();
  }
  static std::string got(std::future<std::string> name) {
    return name.wait_for(testing::kPatience) == std::future_status::ready ? name.get() : "no answer";
  }

  VirtualClock clock;
  std::unique_ptr<Network> network = make_network();
  std::shared_ptr<Server> server = std::make_shared<Server>();
  std::unique_ptr<NameLookup> lookup;
};

TEST_F(NameLookupTest, AsksOnceAndRemembersForAWhile) {
  server->silent = true;
  auto first = find("10.0.0.1");
  auto second = find("10.0.0.1");
  server->answer();
  EXPECT_EQ(got(std::move(first)), "host-of-10.0.0.1");
  EXPECT_EQ(got(std::move(second)), "host-of-10.0.0.1");
  EXPECT_EQ(got(find("10.0.0.1")), "host-of-10.0.0.1");
  EXPECT_EQ(server->asked["10.0.0.1"], 1);
  clock.advance(std::chrono::minutes(5));
  EXPECT_EQ(got(find("10.0.0.1")), "host-of-10.0.0.1");
  EXPECT_EQ(server->asked["10.0.0.1"], 2);
}

TEST_F(NameLookupTest, ASilentServerHoldsUpFourThreadsAndNothingElse) {
  server->silent = true;
  std::vector<std::future<std::string>> names;
  for (int i = 0; i < 1005; ++i) names.push_back(find("address " + std::to_string(i)));
  ASSERT_TRUE(server->wait_for_questions(4));
  EXPECT_EQ(server->asked.size(), 4u);
  EXPECT_EQ(got(std::move(names.back())), "") << "no list without end";
  EXPECT_NE(names[0].wait_for(std::chrono::seconds(0)), std::future_status::ready);
}

TEST_F(NameLookupTest, NobodyIsCalledBehindItsEnd) {
  server->silent = true;
  auto name = find("10.0.0.1");
  ASSERT_TRUE(server->wait_for_questions(1));
  network->run([this] { lookup = nullptr; });
  server->answer();
  ASSERT_EQ(name.wait_for(testing::kPatience), std::future_status::ready);
  EXPECT_THROW(name.get(), std::future_error) << "its callback was dropped";
}

TEST(SystemNameLookupTest, ANameLeadsBackToItsAddress) {
  EXPECT_EQ(NameLookup::ask_system("no address"), "");
  const std::string name = NameLookup::ask_system("127.0.0.1");
  EXPECT_TRUE(name.empty() || name.find("localhost") != std::string::npos) << name;
}

}  // namespace
}  // namespace standpipe
