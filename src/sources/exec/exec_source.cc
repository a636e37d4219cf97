#include "sources/exec/exec_source.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/text.h"
#include "sources/exec/exec_pump.h"

namespace standpipe {

namespace {

constexpr Option kOptions[] = {
    {.name = "command",
     .kind = Kind::command,
     .help = "what to run; without shell it is split on white space",
     .required = true},
    {.name = "shell", .kind = Kind::command, .help = "a shell to run it by, such as /bin/sh -c"},
    {.name = "restart", .kind = Kind::boolean, .fallback = "false", .help = "run it again when it has ended"},
    {.name = "restartThrottle",
     .kind = Kind::duration,
     .fallback = "10000",
     .help = "how long to wait before it is run again",
     .unit = "ms",
     .min = 0},
    {.name = "logStdErr", .kind = Kind::boolean, .fallback = "false", .help = "log what it prints to standard error"},
    {.name = "batchSize",
     .kind = Kind::integer,
     .fallback = "20",
     .help = "events that are handed over together; more when more arrived at once",
     .unit = "events",
     .min = 1},
    {.name = "batchTimeout",
     .kind = Kind::duration,
     .fallback = "3000",
     .help = "the longest that an event waits for others",
     .unit = "ms",
     .min = 0},
    {.name = "charset", .kind = Kind::charset, .fallback = "UTF-8", .help = "charset of the command's output"},
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.source.ExecSource"};
constexpr ComponentInfo kInfo{.kind = ComponentKind::source,
                              .name = "exec",
                              .class_names = kClassNames,
                              .summary = "Runs a command and takes the lines that it prints.",
                              .options = kOptions,
                              .batch_option = "batchSize"};

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  for (const std::string_view word : split_words(text)) words.emplace_back(word);
  return words;
}

ExecSettings read_settings(const Settings& settings) {
  ExecSettings result;
  result.command = settings.text("command");
  if (const auto shell = settings.optional_text("shell")) {
    result.argv = words_of(*shell);
    result.argv.push_back(result.command);
  } else {
    result.argv = words_of(result.command);
  }
  result.restart = settings.boolean("restart");
  result.log_errors = settings.boolean("logStdErr");
  result.batch_size = static_cast<std::size_t>(settings.integer("batchSize"));
  result.restart_throttle = settings.duration("restartThrottle");
  result.batch_timeout = settings.duration("batchTimeout");
  result.charset = settings.text("charset");
  return result;
}

/// See exec_source.h. Everything happens on the thread that calls run().
class ExecSource final : public Source {
 public:
  ExecSource(ExecSettings settings, Environment& environment)
      : settings_(std::move(settings)), environment_(environment) {}

  Status start(Ingest& ingest) override {
    ingest_ = &ingest;
    return {};
  }

  Status run(std::stop_token stop) override {
    while (!stop.stop_requested()) {
      const Status status = run_command(stop);
      if (stop.stop_requested()) break;
      if (!settings_.restart) {
        return status;  // over for good, as in Flume: another run only with restart, or after a failed start
      }
      if (!status.ok()) {
        environment_.log.error(
            fmt::format("{}; restarting in {}ms", status.message(), settings_.restart_throttle.count()));
      }
      environment_.clock.sleep_for(settings_.restart_throttle, stop);
    }
    return {};
  }

  void stop() override {}  // run() has ended everything before it returned

 private:
  Status run_command(std::stop_token stop) {
    TRY_ASSIGN(TextDecoder decoder, TextDecoder::make(settings_.charset));
    TRY_ASSIGN(ChildProcess child, ChildProcess::start(settings_.argv));
    ExecPump pump(settings_, environment_, *ingest_, std::move(child), std::move(decoder));
    const int code = pump.run(stop);
    if (settings_.restart && !stop.stop_requested()) {
      environment_.log.info(fmt::format("Restarting in {}ms, exit code {}", settings_.restart_throttle.count(), code));
    } else {
      environment_.log.info(fmt::format("Command [{}] exited with {}", settings_.command, code));
    }
    return {};
  }

  const ExecSettings settings_;
  Environment& environment_;
  Ingest* ingest_ = nullptr;
};

}  // namespace

const SourceFactory kExecSource{
    &kInfo, [](const Settings& settings, Environment& environment) -> Result<std::unique_ptr<Source>> {
      ExecSettings parsed = read_settings(settings);
      if (parsed.argv.empty()) return Status(Code::invalid, "command: it is empty");
      const auto decoder = TextDecoder::make(parsed.charset);
      if (!decoder.ok()) return decoder.status().with_context("charset: ");
      return std::unique_ptr<Source>(std::make_unique<ExecSource>(std::move(parsed), environment));
    }};

}  // namespace standpipe
