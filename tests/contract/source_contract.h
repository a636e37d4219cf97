#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/runner.h"
#include "standpipe/source.h"
#include "support/engine_parts.h"
#include "support/test_environment.h"

namespace standpipe::testing {

/// An ingest that a test controls: it accepts, fails as a full channel does, or answers late. Remembers what it
/// accepted. Thread-safe.
class ScriptedIngest final : public Ingest {
 public:
  enum class Mode { accept, fail_some, hold };

  void set_mode(Mode mode) {
    std::vector<ReceiptPromise> held;
    {
      std::lock_guard lock(mutex_);
      mode_ = mode;
      if (mode != Mode::hold) held.swap(held_);
    }
    for (ReceiptPromise& promise : held) promise.complete(Status(Code::full, "channel c1 is full"));
  }

  Receipt deliver(Batch batch) override {
    std::lock_guard lock(mutex_);
    ++deliveries_;
    if (mode_ == Mode::hold) return held_.emplace_back().receipt();
    if (mode_ == Mode::fail_some && random_() % 3 == 0) {
      ++failures_;
      return Receipt::completed({Code::full, "channel c1 is full"});
    }
    for (std::size_t i = 0; i < batch.size(); ++i) accepted_.emplace_back(std::as_const(batch)[i].body);
    return Receipt::completed();
  }

  std::vector<std::string> accepted() const {
    std::lock_guard lock(mutex_);
    return accepted_;
  }
  std::size_t deliveries() const {
    std::lock_guard lock(mutex_);
    return deliveries_;
  }
  std::size_t failures() const {
    std::lock_guard lock(mutex_);
    return failures_;
  }

 private:
  mutable std::mutex mutex_;
  Mode mode_ = Mode::accept;
  std::vector<ReceiptPromise> held_;
  std::vector<std::string> accepted_;
  std::size_t deliveries_ = 0;
  std::size_t failures_ = 0;
  std::minstd_rand random_{42};
};

/// One source with where it reads from, made anew for each test.
class SourceSubject {
 public:
  virtual ~SourceSubject() = default;
  virtual std::unique_ptr<Source> make(Environment& environment) = 0;
  /// Makes the events numbered(first, count) available to a started source. A source that clients push to sends until
  /// each was acknowledged, as a careful client does.
  virtual void produce(std::size_t first, std::size_t count) = 0;
};

struct SourceUnderTest {
  std::function<std::unique_ptr<SourceSubject>()> make;
  bool ordered = true;
};

/// What every source must do.
class SourceContract : public ::testing::TestWithParam<SourceUnderTest> {
 protected:
  /// Runs the source as the engine does, against the scripted ingest.
  class Running {
   public:
    Running(Source& source, Ingest& ingest) : source_(source) {
      const Status started = source_.start(ingest);
      EXPECT_TRUE(started.ok()) << started.to_string();
      thread_ = std::jthread([this](std::stop_token stop) {
        result_ = source_.run(stop);
        ended_ = true;
      });
    }
    ~Running() { stop(); }
    void stop() {
      if (!thread_.joinable()) return;
      thread_.request_stop();
      EXPECT_TRUE(eventually([&] { return ended_.load(); })) << "run() does not end after a stop request";
      thread_.join();
      EXPECT_TRUE(result_.ok()) << result_.to_string();
      source_.stop();
    }

   private:
    Source& source_;
    Status result_;
    std::atomic<bool> ended_{false};
    std::jthread thread_;
  };

  bool all_arrive(std::size_t events) {
    return eventually([&] {
      const std::vector<std::string> accepted = ingest_.accepted();
      return std::set<std::string>(accepted.begin(), accepted.end()).size() >= events;
    });
  }

  TestEnvironment world_{"r1"};
  ScriptedIngest ingest_;
  std::unique_ptr<SourceSubject> subject_ = GetParam().make();
};

TEST_P(SourceContract, BringsInEverythingOnce) {
  auto source = subject_->make(world_.environment);
  Running running(*source, ingest_);
  subject_->produce(0, 200);
  EXPECT_TRUE(all_arrive(200));
  running.stop();
  if (GetParam().ordered)
    EXPECT_EQ(ingest_.accepted(), numbers(0, 200));
  else
    EXPECT_THAT(ingest_.accepted(), ::testing::UnorderedElementsAreArray(numbers(0, 200)));
}

TEST_P(SourceContract, LosesNothingWhileChannelsFail) {
  auto source = subject_->make(world_.environment);
  ingest_.set_mode(ScriptedIngest::Mode::fail_some);
  Running running(*source, ingest_);
  for (std::size_t i = 0; i < 200; i += 10) subject_->produce(i, 10);
  EXPECT_TRUE(all_arrive(200)) << "after " << ingest_.failures() << " failed deliveries";
  running.stop();
}

TEST_P(SourceContract, NothingIsLostOverARestart) {
  auto source = subject_->make(world_.environment);
  {
    Running running(*source, ingest_);
    subject_->produce(0, 20);
    EXPECT_TRUE(all_arrive(20));
  }
  Running running(*source, ingest_);
  subject_->produce(20, 20);
  EXPECT_TRUE(all_arrive(40));
}

TEST_P(SourceContract, StopsInBoundedTimeWhileNothingIsAnswered) {
  auto source = subject_->make(world_.environment);
  ingest_.set_mode(ScriptedIngest::Mode::hold);
  Running running(*source, ingest_);
  std::jthread producer([&] { subject_->produce(0, 10); });
  EXPECT_TRUE(eventually([&] { return ingest_.deliveries() > 0; }));
  // The engine fails what waits when it stops; a source must not need that before its run() ends.
  running.stop();
  ingest_.set_mode(ScriptedIngest::Mode::accept);
}

TEST_P(SourceContract, StopIsLegalInAnyState) {
  auto source = subject_->make(world_.environment);
  source->stop();
  source->stop();
  { Running running(*source, ingest_); }
  source->stop();
  Running again(*source, ingest_);
}

}  // namespace standpipe::testing
