#include "sources/seq/seq_source.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <vector>

#include "base/clock.h"

namespace standpipe {

namespace {

constexpr Option kOptions[] = {
    {.name = "batchSize",
     .kind = Kind::integer,
     .fallback = "1",
     .help = "events handed over together",
     .unit = "events",
     .min = 1,
     .max = 1'000'000},
    {.name = "totalEvents",
     .kind = Kind::integer,
     .fallback = "9223372036854775807",
     .help = "how many to make, then none",
     .unit = "events",
     .min = 0},
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
constexpr std::string_view kClassNames[] = {"org.apache.flume.source.SequenceGeneratorSource"};
constexpr ComponentInfo kInfo{.kind = ComponentKind::source,
                              .name = "seq",
                              .class_names = kClassNames,
                              .summary = "Makes numbered events.",
                              .options = kOptions,
                              .batch_option = "batchSize"};

/// The numbers [first, first + count) in one slab of just their size.
Batch numbers(std::int64_t first, std::int64_t count, MemoryBudget& budget) {
  std::string text;
  std::vector<std::size_t> ends;
  for (std::int64_t number = first; number < first + count; ++number) {
    char digits[20];
    text.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
    ends.push_back(text.size());
  }
  const auto slab = Slab::make(text.size(), &budget);
  std::memcpy(slab->data(), text.data(), text.size());
  Batch batch;
  batch.pin(slab);
  batch.reserve(ends.size());
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    batch.add({slab->data() + begin, end - begin});
    begin = end;
  }
  return batch;
}

/// See seq_source.h. Everything happens on the thread that calls run().
class SeqSource final : public Source {
 public:
  SeqSource(const Settings& settings, Environment& environment)
      : environment_(environment),
        batch_size_(settings.integer("batchSize")),
        total_(settings.integer("totalEvents")),
        pause_step_(settings.duration("backoffSleepIncrement")),
        max_pause_(settings.duration("maxBackoffSleep")),
        received_(environment.counters.counter(counter_names::kEventReceived)),
        accepted_(environment.counters.counter(counter_names::kEventAccepted)),
        batches_accepted_(environment.counters.counter(counter_names::kAppendBatchAccepted)) {}

  Status start(Ingest& ingest) override {
    ingest_ = &ingest;
    return {};
  }

  Status run(std::stop_token stop) override {
    std::chrono::milliseconds pause{0};
    while (next_ < total_ && !stop.stop_requested()) {
      const std::int64_t count = std::min(batch_size_, total_ - next_);
      if (deliver(count, stop)) {
        pause = {};
        continue;
      }
      pause = std::min(pause + pause_step_, max_pause_);
      environment_.clock.sleep_for(pause, stop);
    }
    return {};
  }

  void stop() override {}

 private:
  bool deliver(std::int64_t count, std::stop_token stop) {
    received_.add(count);
    const Status status = ingest_->deliver(numbers(next_, count, environment_.budget)).wait(stop);
    if (!status.ok()) {
      if (status.code() == Code::stopped) return false;
      environment_.log.warn("trying again: " + status.message());
      return false;
    }
    next_ += count;
    accepted_.add(count);
    if (batch_size_ > 1) batches_accepted_.add();
    return true;
  }

  Environment& environment_;
  const std::int64_t batch_size_;
  const std::int64_t total_;
  const std::chrono::milliseconds pause_step_;
  const std::chrono::milliseconds max_pause_;
  Counter& received_;
  Counter& accepted_;
  Counter& batches_accepted_;
  Ingest* ingest_ = nullptr;
  std::int64_t next_ = 0;
};

}  // namespace

const SourceFactory kSeqSource{
    &kInfo, [](const Settings& settings, Environment& environment) -> Result<std::unique_ptr<Source>> {
      return std::unique_ptr<Source>(std::make_unique<SeqSource>(settings, environment));
    }};

}  // namespace standpipe
