// Reloads under load: clients and a growing log bring events in while the configuration changes at random and is
// broken now and then. Nothing that was acknowledged may be missing at the end, and what did not change must not have
// been touched: the same connection, the same start, the same open file.
//
//   STANDPIPE_RELOADS=200 STANDPIPE_SEED=7 reload_test

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reload/reload_shape.h"
#include "support/agent_world.h"
#include "support/engine_parts.h"
#include "support/line_count.h"
#include "support/tcp_client.h"

namespace standpipe::testing {
namespace {

constexpr int kWindow = 10;       // lines sent before their answers are read
constexpr int kBetween = 20;      // lines that each source must get through between two reloads
constexpr int kTailedLines = 10;  // for each window of the client

int from_environment(const char* name, int fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::atoi(text);
}

std::string numbered_line(const std::string& source, int number) { return fmt::format("{}-{:07}", source, number); }

/// A client that numbers its lines, reads every answer, and sends again what was not accepted. One connection from
/// beginning to end.
class Client {
 public:
  Client(std::string source, std::uint16_t port) : source_(std::move(source)), connection_(port) {}
  ~Client() { finish(); }

  /// `beside` is called between windows.
  void start(std::function<void()> beside = [] {}) {
    thread_ = std::jthread([this, beside = std::move(beside)](std::stop_token stop) {
      while (!stop.stop_requested() && send_window()) beside();
    });
  }
  void finish() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
  }

  int accepted() const { return accepted_; }
  int refused() const { return refused_; }
  bool connected() const { return connected_; }

 private:
  /// False: the connection is gone.
  bool send_window() {
    std::string text;
    for (int i = 0; i < kWindow; ++i) text += numbered_line(source_, accepted_ + i) + "\n";
    bool alive = connection_.send(text);
    int good = 0;
    bool in_order = true;
    for (int i = 0; alive && i < kWindow; ++i) {
      const std::string answer = connection_.line();
      alive = !answer.empty();
      in_order = in_order && answer == "OK";
      good += in_order ? 1 : 0;
      refused_ += answer == "OK" ? 0 : 1;
    }
    accepted_ += good;  // what follows a refused line is sent again with it
    connected_ = alive;
    return alive;
  }

  const std::string source_;
  TcpClient connection_;
  std::atomic<int> accepted_{0};
  std::atomic<int> refused_{0};
  std::atomic<bool> connected_{true};
  std::jthread thread_;
};

class ReloadTest : public ::testing::Test {
 protected:
  ReloadTest() {
    for (const char* sink : {"c0/k0", "c1/k1", "c1/k2", "c2/k3"}) {
      std::filesystem::create_directories(world_.file(std::string("out/") + sink));
    }
    tail_.open(world_.file("tail.log"));
  }

  void append_to_the_log() {
    for (int i = 0; i < kTailedLines; ++i) tail_ << numbered_line("r2", tailed_++) << '\n';
    tail_.flush();
  }

  /// Start time and, for a channel, the events that went in.
  std::map<std::string, std::pair<double, double>> marks() const {
    std::map<std::string, std::pair<double, double>> all;
    for (const auto& [component, values] : world_.counters()) {
      const auto put = values.find("EventPutSuccessCount");
      all[component] = {values.at("StartTime"), put == values.end() ? 0 : put->second};
    }
    return all;
  }

  bool all_started() const {
    for (const auto& [component, values] : world_.counters()) {
      if (values.at("StartTime") == 0) return false;
    }
    return true;
  }

  /// Every line up to `count` of a source must stand somewhere. Returns how many stand in one channel's output twice.
  int count(const std::string& source, int count) {
    std::map<std::string, int> stored;
    int duplicates = 0;
    for (const char* channel : {"c0", "c1", "c2"}) {
      for (const auto& [line, times] : count_lines(world_.file(std::string("out/") + channel))) {
        if (!line.starts_with(source)) continue;
        stored[line] += times;
        duplicates += times - 1;
      }
    }
    int lost = 0;
    std::string first;
    for (int i = 0; i < count; ++i) {
      const std::string line = numbered_line(source, i);
      if (stored.contains(line)) continue;
      if (lost++ == 0) first = line;
    }
    EXPECT_EQ(lost, 0) << "of " << count << " lines of " << source << ", the first is " << first;
    return duplicates;
  }

  AgentWorld world_;
  std::ofstream tail_;
  std::atomic<int> tailed_{0};
};

TEST_F(ReloadTest, UnderLoadNothingIsLostAndWhatDidNotChangeIsNotTouched) {
  const int reloads = from_environment("STANDPIPE_RELOADS", 40);
  const int seed = from_environment("STANDPIPE_SEED", static_cast<int>(std::random_device{}() % 1'000'000));
  SCOPED_TRACE(fmt::format("STANDPIPE_RELOADS={} STANDPIPE_SEED={}", reloads, seed));
  std::mt19937 random(static_cast<unsigned>(seed));
  const auto started = std::chrono::steady_clock::now();

  ReloadShape shape(world_.file(""));
  world_.apply(shape.text());
  ASSERT_TRUE(eventually([&] { return world_.network().port(1) != 0 && world_.network().port(2) != 0; }));
  Client untouched("r0", world_.network().port(1));
  Client rewired("r1", world_.network().port(2));
  untouched.start();
  rewired.start([this] { append_to_the_log(); });

  int refusals = 0;
  int new_tails = 0;
  unsigned kind = random();
  for (int reload = 0; reload < reloads; ++reload) {
    const int a = untouched.accepted();
    const int b = rewired.accepted();
    ASSERT_TRUE(eventually([&] {
      return all_started() && untouched.accepted() >= a + kBetween && rewired.accepted() >= b + kBetween;
    })) << "nothing comes through any more";
    const auto before = marks();
    const auto old = shape.identities();
    world_.mark_log();
    std::string what;
    if (random() % 5 == 0) {
      what = fmt::format("broken file {}", kind % 7);
      world_.apply(broken(shape.text(), kind++));
      ++refusals;
      ASSERT_TRUE(world_.logged("refused")) << what << "\n" << world_.log_since_mark();
    } else {
      what = shape.change(random);
      world_.apply(shape.text());
      ASSERT_TRUE(world_.logged("the new configuration is applied")) << what << "\n" << world_.log_since_mark();
    }
    const auto now = shape.identities();
    const auto after = marks();
    EXPECT_EQ(after.size(), now.size()) << what;
    for (const auto& [component, identity] : now) {
      const bool unchanged = old.contains(component) && old.at(component) == identity;
      if (component == "SOURCE.r2" && !unchanged) ++new_tails;
      if (!unchanged) continue;
      ASSERT_TRUE(after.contains(component)) << component << ": " << what;
      EXPECT_EQ(after.at(component).first, before.at(component).first) << component << " was started anew: " << what;
      EXPECT_GE(after.at(component).second, before.at(component).second) << component << " was made anew: " << what;
    }
    ASSERT_TRUE(untouched.connected() && rewired.connected()) << "a connection was lost: " << what;
    if (HasFailure()) break;
  }
  untouched.finish();
  rewired.finish();
  shape.complete();
  world_.apply(shape.text());
  const auto last = [&] { return numbered_line("r2", tailed_ - 1); };
  EXPECT_TRUE(eventually([&] {
    for (const char* channel : {"out/c1", "out/c2"}) {
      if (count_lines(world_.file(channel)).contains(last())) return true;
    }
    return false;
  })) << "the tailed file does not arrive";
  const StopReport report = world_.agent().stop();
  EXPECT_TRUE(report.clean());

  const int duplicates_r0 = count("r0", untouched.accepted());
  const int duplicates_r1 = count("r1", rewired.accepted());
  const int duplicates_r2 = count("r2", tailed_);
  EXPECT_EQ(untouched.refused(), 0);
  EXPECT_EQ(duplicates_r0, 0);
  EXPECT_LE(duplicates_r1, rewired.refused() * kWindow) << "only what a client sent again may come twice";
  EXPECT_LE(duplicates_r2, new_tails * 150) << "at most a batch for each restart of the source";
  const auto files = std::filesystem::directory_iterator(world_.file("out/c0/k0"));
  EXPECT_EQ(std::distance(begin(files), end(files)), 1) << "the untouched sink closed its file";
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  fmt::print(
      "{} reloads ({} broken files), seed {}, {:.1f} s: {} + {} + {} lines, none lost; duplicates {} + {} + {}; {} "
      "lines refused and sent again\n",
      reloads, refusals, seed, took.count(), untouched.accepted(), rewired.accepted(), tailed_.load(), duplicates_r0,
      duplicates_r1, duplicates_r2, rewired.refused());
}

}  // namespace
}  // namespace standpipe::testing
