// The file channel under kill -9: a process puts, takes and commits under load and is killed at a random moment, again
// and again, on real files. What it was told and what it did stands in memory that outlives it.
//
// STANDPIPE_KILLS=10000 STANDPIPE_SEED=7 file_channel_kill_test runs longer, or one seed again.

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/text.h"
#include "channels/file/file_channel.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

constexpr std::size_t kEvents = 64u << 20;  // of which 10,000 kills see a sixth
constexpr std::size_t kProducers = 4;

/// What happened to each event; written by the process that is killed, read by who killed it.
struct Oracle {
  enum : std::uint8_t { acknowledged = 1, delivered = 2, committing = 4, committed = 8 };
  std::atomic<std::size_t> next;
  std::atomic<std::size_t> repeated_after_commit;
  std::atomic<std::size_t> repeated_in_flight;
  std::atomic<std::size_t> wrong;
  std::atomic<std::size_t> failures;
  std::atomic<std::uint8_t> state[kEvents];
};

std::unique_ptr<Channel> make(testing::TestEnvironment& world, const std::string& folder, bool encrypted) {
  Settings::Map values = {{"checkpointDir", folder + "/checkpoint"},
                          {"dataDirs", folder + "/data1," + folder + "/data2"},
                          {"maxFileSize", "300000"},
                          {"minimumRequiredSpace", "0"},
                          {"capacity", "20000"}};
  if (encrypted) {
    values["encryption.keyProvider"] = "COMMAND";
    values["encryption.activeKey"] = "k1";
    values["encryption.keyProvider.keys"] = "k1";
    values["encryption.keyProvider.keys.k1.command"] = "echo " + std::string(64, '7');
  }
  return kFileChannel.create(Settings::parse(*kFileChannel.info, values).value(), world.environment).value();
}

std::string body_of(std::size_t number) { return std::to_string(number) + " " + std::string(number % 300, 'x'); }

void produce(Channel& channel, Oracle& oracle, unsigned seed) {
  std::mt19937 random(seed);
  for (;;) {
    const std::size_t count = 1 + random() % (random() % 8 == 0 ? 200 : 5);
    const std::size_t first = oracle.next.fetch_add(count);
    if (first + count > kEvents) return;
    Batch batch;
    for (std::size_t i = first; i < first + count; ++i) batch.add_copy(body_of(i));
    const auto shared = std::make_shared<const Batch>(std::move(batch));
    auto put = channel.reserve(*shared);
    while (put.status().code() == Code::full) {
      std::this_thread::yield();
      put = channel.reserve(*shared);
    }
    if (!put.ok() || !(*put)->store(shared).wait().ok()) {
      ++oracle.failures;
      return;
    }
    for (std::size_t i = first; i < first + count; ++i) oracle.state[i] |= Oracle::acknowledged;
    (*put)->publish();
  }
}

/// Takes until the channel is empty (`once`) or for ever.
void consume(Channel& channel, Oracle& oracle, unsigned seed, bool once) {
  std::mt19937 random(seed);
  for (;;) {
    auto taken = channel.take(1 + random() % 150);
    if (!taken.ok()) {
      ++oracle.failures;
      return;
    }
    Lease lease = std::move(*taken);
    if (lease.empty()) {
      if (once) return;
      std::this_thread::yield();
      continue;
    }
    std::vector<std::size_t> numbers;
    for (std::size_t i = 0; i < lease.size(); ++i) {
      const std::string_view body = lease[i].body;
      const auto number = parse_integer(body.substr(0, body.find(' ')));
      if (!number || *number < 0 || static_cast<std::size_t>(*number) >= oracle.next ||
          body != body_of(static_cast<std::size_t>(*number))) {
        ++oracle.wrong;
        continue;
      }
      numbers.push_back(static_cast<std::size_t>(*number));
      const std::uint8_t before = oracle.state[numbers.back()].fetch_or(Oracle::delivered);
      if ((before & Oracle::committed) != 0) ++oracle.repeated_after_commit;
      if ((before & Oracle::delivered) != 0) ++oracle.repeated_in_flight;
    }
    // Some leases go back in part: their rest comes again, in this life or the next.
    const std::size_t end = once || random() % 4 != 0 ? lease.size() : lease.size() / 2;
    for (std::size_t i = 0; i < end && i < numbers.size(); ++i) oracle.state[numbers[i]] |= Oracle::committing;
    if (!lease.commit(0, end).ok()) {
      ++oracle.failures;
      return;
    }
    for (std::size_t i = 0; i < end && i < numbers.size(); ++i) oracle.state[numbers[i]] |= Oracle::committed;
    for (std::size_t i = end; i < numbers.size(); ++i)
      oracle.state[numbers[i]] &= static_cast<std::uint8_t>(~Oracle::delivered);
  }
}

[[noreturn]] void live(const std::string& folder, bool encrypted, Oracle& oracle, unsigned seed, int ready) {
  testing::TestEnvironment world("c1");
  auto channel = make(world, folder, encrypted);
  if (!channel->start().ok()) std::_Exit(3);
  if (::write(ready, "r", 1) != 1) std::_Exit(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kProducers; ++i)
    threads.emplace_back([&, i] { produce(*channel, oracle, seed * 31 + i); });
  threads.emplace_back([&] { consume(*channel, oracle, seed, false); });
  for (std::thread& thread : threads) thread.join();
  std::_Exit(5);
}

unsigned from_environment(const char* name, unsigned fallback) {
  const char* const text = std::getenv(name);
  return text == nullptr ? fallback : static_cast<unsigned>(std::atol(text));
}

class FileChannelKill : public ::testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(Forms, FileChannelKill, ::testing::Bool(),
                         [](const auto& encrypted) -> std::string { return encrypted.param ? "Encrypted" : "Clear"; });

TEST_P(FileChannelKill, LosesNothingAcknowledgedAndRepeatsNothingCommitted) {
  const bool encrypted = GetParam();
  const unsigned kills = from_environment("STANDPIPE_KILLS", encrypted ? 50 : 200);
  const unsigned seed = from_environment("STANDPIPE_SEED", std::random_device()());
  std::printf("seed %u, %u kills\n", seed, kills);
  void* const memory =
      ::mmap(nullptr, sizeof(Oracle), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  Oracle& oracle = *new (memory) Oracle;
  const testing::TemporaryDirectory directory;
  const std::string folder = directory.file("channel");
  std::mt19937 random(seed);
  for (unsigned cycle = 0; cycle < kills && !HasFailure(); ++cycle) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ready[0]);
      ::setenv("TMPDIR", directory.path().c_str(), 1);  // what a killed one leaves goes with it
      live(folder, encrypted, oracle, random(), ready[1]);
    }
    ::close(ready[1]);
    char byte = 0;
    // Mostly killed at work; sometimes while it still starts.
    if (random() % 10 != 0) {
      EXPECT_EQ(::read(ready[0], &byte, 1), 1) << "it did not start, cycle " << cycle;
    }
    std::this_thread::sleep_for(
        std::chrono::microseconds(random() % 20'000));  // the moment of the kill, not a wait for anything
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << "ended by itself with " << WEXITSTATUS(status) << ", cycle " << cycle;
    ::close(ready[0]);
  }
  testing::TestEnvironment world("c1");
  auto channel = make(world, folder, encrypted);
  ASSERT_TRUE(channel->start().ok());
  consume(*channel, oracle, 1, true);
  EXPECT_EQ(channel->size(), 0);
  std::size_t acknowledged = 0;
  std::size_t lost = 0;
  for (std::size_t i = 0; i < std::min(kEvents, oracle.next.load()); ++i) {
    const std::uint8_t state = oracle.state[i];
    if ((state & Oracle::acknowledged) == 0) continue;
    ++acknowledged;
    if ((state & (Oracle::committing | Oracle::committed)) == 0) ++lost;  // killed inside commit(): may be gone or not
  }
  std::printf("%zu events acknowledged, %zu lost, %zu repeated that were in flight\n", acknowledged, lost,
              oracle.repeated_in_flight.load());
  EXPECT_GT(acknowledged, kills);
  EXPECT_EQ(lost, 0u);
  EXPECT_EQ(oracle.wrong.load(), 0u);
  EXPECT_EQ(oracle.repeated_after_commit.load(), 0u);
  EXPECT_EQ(oracle.failures.load(), 0u);
  EXPECT_EQ(world.count("EventDamagedCount"), 0);
  channel.reset();
  ::munmap(memory, sizeof(Oracle));
}

}  // namespace
}  // namespace standpipe
