#include "sinks/null/null_sink.h"

#include <fmt/format.h>

namespace standpipe {

namespace {

constexpr Option kOptions[] = {
    {.name = "batchSize",
     .kind = Kind::integer,
     .fallback = "100",
     .help = "events per transaction",
     .unit = "events",
     .min = 1,
     .max = 1'000'000},
    {.name = "logEveryNEvents",
     .kind = Kind::integer,
     .fallback = "10000",
     .help = "how many events between two lines of progress in the log",
     .unit = "events",
     .min = 1},
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.sink.NullSink"};
constexpr ComponentInfo kInfo{.kind = ComponentKind::sink,
                              .name = "null",
                              .class_names = kClassNames,
                              .summary = "Discards every event.",
                              .options = kOptions,
                              .batch_option = "batchSize",
                              .acknowledges = "nothing is kept: an event is gone when it was taken"};

/// See null_sink.h. Lives on its runner's thread.
class NullSink final : public BatchSink {
 public:
  NullSink(const Settings& settings, Environment& environment)
      : BatchSink(environment, static_cast<std::size_t>(settings.integer("batchSize"))),
        log_every_(settings.integer("logEveryNEvents")) {}

  Status start() override {
    total_ = 0;
    next_line_ = log_every_;
    return {};
  }

 protected:
  Status write(const Lease& lease, std::stop_token) override {
    total_ += static_cast<std::int64_t>(lease.size());
    for (; total_ >= next_line_; next_line_ += log_every_) {
      environment().log.info(
          fmt::format("Null sink {} successful processed {} events.", environment().component, next_line_));
    }
    return {};
  }

 private:
  const std::int64_t log_every_;
  std::int64_t total_ = 0;
  std::int64_t next_line_ = 0;
};

}  // namespace

const SinkFactory kNullSink{&kInfo,
                            [](const Settings& settings, Environment& environment) -> Result<std::unique_ptr<Sink>> {
                              return std::unique_ptr<Sink>(std::make_unique<NullSink>(settings, environment));
                            }};

}  // namespace standpipe
