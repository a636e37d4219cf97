#include "sources/stress/stress_source.h"

#include <algorithm>
#include <cstring>

#include "base/clock.h"

namespace standpipe {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr char kFiller = 0x7F;

constexpr Option kOptions[] = {
    {.name = "size",
     .kind = Kind::integer,
     .fallback = "500",
     .help = "bytes of each body",
     .unit = "bytes",
     .min = 0,
     .max = 1 << 30},
    {.name = "maxTotalEvents",
     .kind = Kind::integer,
     .fallback = "-1",
     .help = "how many to try, failed ones included; -1: no limit",
     .unit = "events"},
    {.name = "maxSuccessfulEvents",
     .kind = Kind::integer,
     .fallback = "-1",
     .help = "how many to store; -1: no limit",
     .unit = "events"},
    {.name = "batchSize",
     .kind = Kind::integer,
     .fallback = "1",
     .help = "events handed over together",
     .unit = "events",
     .min = 1,
     .max = 1'000'000},
    {.name = "maxEventsPerSecond",
     .kind = Kind::integer,
     .fallback = "0",
     .help = "0: as many as can be",
     .unit = "events",
     .min = 0,
     .max = 1'000'000'000},
    {.name = "backoffSleepIncrement",
     .kind = Kind::duration,
     .fallback = "1000",
     .help = "how much longer to wait each time there was no room",
     .unit = "ms",
     .min = 0},
    {.name = "maxBackoffSleep",
     .kind = Kind::duration,
     .fallback = "5000",
     .help = "the longest wait for room",
     .unit = "ms",
     .min = 0},
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.source.StressSource"};
constexpr ComponentInfo kInfo{.kind = ComponentKind::source,
                              .name = "stress",
                              .class_names = kClassNames,
                              .summary = "Makes equal events at full speed or at a given rate.",
                              .options = kOptions,
                              .batch_option = "batchSize"};

std::shared_ptr<const Slab> make_body(std::size_t size, MemoryBudget& budget) {
  auto slab = Slab::make(size, &budget);
  std::memset(slab->data(), kFiller, size);
  return slab;
}

/// See stress_source.h. Everything happens on the thread that calls run().
class StressSource final : public Source {
 public:
  StressSource(const Settings& settings, Environment& environment)
      : environment_(environment),
        size_(static_cast<std::size_t>(settings.integer("size"))),
        batch_size_(settings.integer("batchSize")),
        max_total_(settings.integer("maxTotalEvents")),
        max_successful_(settings.integer("maxSuccessfulEvents")),
        rate_(settings.integer("maxEventsPerSecond")),
        pause_step_(settings.duration("backoffSleepIncrement")),
        max_pause_(settings.duration("maxBackoffSleep")),
        received_(environment.counters.counter(counter_names::kEventReceived)),
        accepted_(environment.counters.counter(counter_names::kEventAccepted)) {}

  Status start(Ingest& ingest) override {
    ingest_ = &ingest;
    body_ = make_body(size_, environment_.budget);
    due_ = environment_.clock.steady_now();
    return {};
  }

  Status run(std::stop_token stop) override {
    milliseconds pause{0};
    for (std::int64_t count = next_count(); count > 0 && !stop.stop_requested(); count = next_count()) {
      if (!wait_for_rate(count, stop)) break;
      pause = deliver(count, stop) ? milliseconds(0) : std::min(pause + pause_step_, max_pause_);
      if (pause.count() > 0) environment_.clock.sleep_for(pause, stop);
    }
    return {};
  }

  void stop() override { body_ = nullptr; }

 private:
  /// How many the next batch has, within the limits; 0: they are reached.
  std::int64_t next_count() const {
    std::int64_t count = batch_size_;
    if (max_total_ >= 0) count = std::min(count, max_total_ - total_);
    if (max_successful_ >= 0) count = std::min(count, max_successful_ - successful_);
    return std::max<std::int64_t>(count, 0);
  }

  /// Spends the time that `count` events may take; false when it was stopped meanwhile.
  bool wait_for_rate(std::int64_t count, std::stop_token stop) {
    if (rate_ == 0) return true;
    const auto now = environment_.clock.steady_now();
    // A second that passed unused is not made up for.
    due_ = std::max(due_, now - std::chrono::seconds(1));
    const auto wait = std::chrono::floor<milliseconds>(due_ - now);
    due_ += nanoseconds(1'000'000'000 / rate_ * count);
    return wait.count() <= 0 || environment_.clock.sleep_for(wait, stop);
  }

  bool deliver(std::int64_t count, std::stop_token stop) {
    Batch batch;
    batch.pin(body_);
    batch.reserve(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) batch.add({body_->data(), size_});
    total_ += count;
    received_.add(count);
    const Status status = ingest_->deliver(std::move(batch)).wait(stop);
    if (!status.ok()) return false;
    successful_ += count;
    accepted_.add(count);
    return true;
  }

  Environment& environment_;
  const std::size_t size_;
  const std::int64_t batch_size_;
  const std::int64_t max_total_;
  const std::int64_t max_successful_;
  const std::int64_t rate_;
  const milliseconds pause_step_;
  const milliseconds max_pause_;
  Counter& received_;
  Counter& accepted_;
  Ingest* ingest_ = nullptr;
  std::shared_ptr<const Slab> body_;
  std::chrono::steady_clock::time_point due_;
  std::int64_t total_ = 0;
  std::int64_t successful_ = 0;
};

}  // namespace

const SourceFactory kStressSource{
    &kInfo, [](const Settings& settings, Environment& environment) -> Result<std::unique_ptr<Source>> {
      return std::unique_ptr<Source>(std::make_unique<StressSource>(settings, environment));
    }};

}  // namespace standpipe
