#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "standpipe/sink.h"

namespace standpipe::testing {

/// What became of each numbered event, and what of it must not have happened: the oracle beside sinks that share a
/// channel. Thread-safe.
class EventLedger {
 public:
  /// Events are about to be put into the channel.
  void put(std::size_t count);
  /// A sink took them: must be the oldest ones that wait.
  void taken(const std::string& sink, const std::vector<std::size_t>& events);
  /// They went back, or will before anybody takes again.
  void returned(const std::vector<std::size_t>& events);
  /// They arrived at a destination, which may not be able to say so.
  void written(const std::string& sink, const std::vector<std::size_t>& events);
  void committed(const std::vector<std::size_t>& events);
  void complain(std::string what);

  std::size_t put_so_far() const;
  bool all_committed() const;
  /// In the order of arrival.
  std::vector<std::size_t> arrivals() const;
  std::size_t arrivals_at(const std::string& sink) const;
  /// Those that arrived more than once, each of them while its delivery was undecided.
  std::size_t duplicates() const;
  /// Grows with everything that happens to an event.
  std::size_t changes() const;
  /// What went wrong, the first few.
  std::vector<std::string> complaints() const;

 private:
  void complain_locked(std::string what);

  struct Arrival {
    std::size_t event;
    std::string sink;
  };
  mutable std::mutex mutex_;
  std::size_t put_ = 0;
  std::set<std::size_t> waiting_;
  std::set<std::size_t> committed_;
  std::vector<Arrival> arrivals_;
  std::size_t changes_ = 0;
  std::vector<std::string> complaints_;
};

/// How often a destination does what; weights.
struct Mood {
  int takes_all = 0;     ///< at once
  int refuses = 0;       ///< at once
  int takes_part = 0;    ///< the front of the batch, then it refuses
  int breaks = 0;        ///< at once, with all of it written and nobody told
  int answers_late = 0;  ///< takes all
  int refuses_late = 0;  ///< and has taken nothing
  int breaks_late = 0;   ///< after it has taken all
  int says_nothing = 0;  ///< until the sink gives up
  bool is_gone = false;  ///< there is nobody: every turn fails, with events or without
  bool lets_go = true;   ///< a sink that failed gives its leases back; else it holds them and commits them later

  static Mood well_at_once() { return {.takes_all = 1}; }
  static Mood well_later() { return {.answers_late = 1}; }
  static Mood fails_at_once() { return {.takes_all = 3, .refuses = 1, .takes_part = 1}; }
  static Mood fickle() {
    return {.takes_all = 2,
            .refuses = 1,
            .takes_part = 1,
            .breaks = 1,
            .answers_late = 6,
            .refuses_late = 1,
            .breaks_late = 1,
            .says_nothing = 1};
  }
  static Mood gone() { return {.is_gone = true}; }
};

/// What FickleSink wants to know of the time in which it is left alone after a failure.
class PauseRule {
 public:
  virtual ~PauseRule() = default;
  /// It failed, and is to be left alone for so long.
  virtual std::chrono::milliseconds failed(Clock::Steady now) = 0;
  virtual void delivered() {}
};

/// A sink with several leases open, whose destination does by chance what destinations do. It checks what it can see of
/// its group: that it is left alone after a failure as `rule` says, that what it holds after one is refused, that every
/// take gives it the oldest events.
class FickleSink final : public Sink {
 public:
  static constexpr std::chrono::milliseconds kGivesUpAfter{20'000};
  static constexpr std::chrono::milliseconds kLatestAnswer{3'000};

  /// `wake` is told when an answer will be there; the rest outlives the sink. Null `rule`: it is never left alone.
  struct World {
    Clock& clock;
    EventLedger& ledger;
    std::function<void(Outlet&, Clock::Steady)> wake = [](Outlet&, Clock::Steady) {};
  };
  FickleSink(std::string name, World world, std::unique_ptr<PauseRule> rule, std::uint64_t seed);

  void set_mood(const Mood& mood);
  /// When the next answer is there; nothing else wakes it.
  std::optional<Clock::Steady> next_answer() const;
  std::size_t turns() const { return turns_; }
  std::size_t failures() const { return failures_; }

  Status start() override { return {}; }
  Result<Turn> process(Outlet& outlet, std::stop_token stop) override;
  void stop() override;

 private:
  enum class Fate : unsigned char {
    takes_all,
    refuses,
    takes_part,
    breaks,
    answers_late,
    refuses_late,
    breaks_late,
    says_nothing
  };
  struct Flight {
    Lease lease;
    std::vector<std::size_t> events;
    Fate fate;
    Clock::Steady due;  // its answer, or the time at which the sink gives up
  };

  Result<Turn> work(Outlet& outlet);
  Status settle(bool& settled);
  Status take(Outlet& outlet, bool& done);
  Status carry_out(Outlet& outlet, Lease lease, std::vector<std::size_t> events, bool& done);
  void commit(Flight& flight);
  Status fail(const std::string& why);
  void try_what_was_taken_away();
  Fate draw();
  Mood mood() const;

  const std::string name_;
  const World world_;
  const std::unique_ptr<PauseRule> rule_;
  std::mt19937_64 random_;
  mutable std::mutex mutex_;  // guards mood_: a test changes it from its own thread
  Mood mood_ = Mood::well_at_once();
  std::deque<Flight> flights_;
  std::vector<Lease> taken_away_;
  Clock::Steady left_alone_until_{};
  bool answered_ = false;
  std::atomic<std::size_t> turns_{0};
  std::atomic<std::size_t> failures_{0};
};

}  // namespace standpipe::testing
