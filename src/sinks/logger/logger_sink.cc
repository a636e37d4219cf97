#include "sinks/logger/logger_sink.h"

#include "sinks/logger/event_text.h"

namespace standpipe {

namespace {

// Flume takes one event per transaction; the log's order is the same with more, and it costs less.
constexpr std::size_t kBatch = 100;

constexpr Option kOptions[] = {
    {.name = "maxBytesToLog",
     .kind = Kind::integer,
     .fallback = "16",
     .help = "how much of a body is shown",
     .unit = "bytes",
     .lenient = true,
     .min = 0,
     .max = 1 << 20},
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.sink.LoggerSink"};
constexpr ComponentInfo kInfo{.kind = ComponentKind::sink,
                              .name = "logger",
                              .class_names = kClassNames,
                              .summary = "Writes each event to the agent's log.",
                              .options = kOptions,
                              .acknowledges = "its line was handed to the log"};

/// See logger_sink.h. Lives on its runner's thread.
class LoggerSink final : public BatchSink {
 public:
  LoggerSink(const Settings& settings, Environment& environment)
      : BatchSink(environment, kBatch), max_bytes_(static_cast<std::size_t>(settings.integer("maxBytesToLog"))) {}

 protected:
  Status write(const Lease& lease, std::stop_token) override {
    Log& log = environment().log;
    if (!log.enabled(Log::Level::info)) return {};
    for (std::size_t i = 0; i < lease.size(); ++i) {
      std::vector<std::string> lines = event_lines(lease[i], max_bytes_);
      lines.front().insert(0, "Event: ");
      // A line of the log each: a message with a line break in it could forge one, so the log would escape it.
      for (const std::string& line : lines) log.info(line);
    }
    return {};
  }

 private:
  const std::size_t max_bytes_;
};

}  // namespace

const SinkFactory kLoggerSink{&kInfo,
                              [](const Settings& settings, Environment& environment) -> Result<std::unique_ptr<Sink>> {
                                return std::unique_ptr<Sink>(std::make_unique<LoggerSink>(settings, environment));
                              }};

}  // namespace standpipe
