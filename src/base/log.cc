#include "base/log.h"

#include <atomic>
#include <mutex>
#include <vector>

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/secrets.h"
#include "base/text.h"

namespace standpipe {

namespace {

spdlog::level::level_enum to_spdlog(Log::Level level) {
  switch (level) {
    case Log::Level::trace: return spdlog::level::trace;
    case Log::Level::debug: return spdlog::level::debug;
    case Log::Level::info: return spdlog::level::info;
    case Log::Level::warn: return spdlog::level::warn;
    case Log::Level::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

/// log4j's level names, padded as log4j's %-5p does.
class LevelName final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    static constexpr std::string_view kNames[] = {"TRACE", "DEBUG", "INFO ", "WARN ", "ERROR", "FATAL", "OFF  "};
    const std::string_view name = kNames[message.level];
    out.append(name.data(), name.data() + name.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return spdlog::details::make_unique<LevelName>(); }
};

std::shared_ptr<spdlog::logger> make_logger(const LogTarget& target) {
  std::vector<spdlog::sink_ptr> sinks;
  if (target.console) sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  if (!target.file.empty()) {
    sinks.push_back(
        std::make_shared<spdlog::sinks::rotating_file_sink_mt>(target.file, target.max_bytes, target.max_files));
  }
  auto logger = std::make_shared<spdlog::logger>("standpipe", sinks.begin(), sinks.end());
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<LevelName>('*').set_pattern("%Y-%m-%d %H:%M:%S,%e %* %v");
  logger->set_formatter(std::move(formatter));
  logger->set_level(to_spdlog(target.level));
  logger->flush_on(spdlog::level::trace);
  return logger;
}

std::shared_ptr<spdlog::logger>& logger() {
  static std::shared_ptr<spdlog::logger> instance = make_logger({});
  return instance;
}

std::atomic<bool> raw_data{false};

std::string escaped(std::string_view message) {
  std::string text;
  text.reserve(message.size());
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= ' ' || c == '\t') {
      text.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(text), "\\x{:02x}", byte);
    }
  }
  return text;
}

class ComponentLog final : public Log {
 public:
  explicit ComponentLog(std::string origin) : prefix_(origin.empty() ? "" : "[" + origin + "] ") {}
  bool enabled(Level level) const override { return logger()->should_log(to_spdlog(level)); }
  void write(Level level, std::string_view message) override {
    if (enabled(level))
      logger()->log(to_spdlog(level), "{}{}", prefix_, escaped(without_secrets(std::string(message))));
  }

 private:
  const std::string prefix_;
};

}  // namespace

Status configure_logging(const LogTarget& target) {
  raw_data = target.raw_data;
  try {
    logger() = make_logger(target);
    return {};
  } catch (const spdlog::spdlog_ex& error) {
    LogTarget console = target;
    console.console = true;
    console.file.clear();
    logger() = make_logger(console);
    return {Code::io, fmt::format("{}; the log goes to standard error", error.what())};
  }
}

bool raw_data_is_logged() { return raw_data.load(std::memory_order_relaxed); }

std::unique_ptr<Log> make_log(std::string origin) { return std::make_unique<ComponentLog>(std::move(origin)); }

Log& process_log() {
  static ComponentLog log("");
  return log;
}

std::optional<Log::Level> parse_log_level(std::string_view text) {
  const std::string level = to_lower(trim(text));
  if (level == "trace" || level == "all") return Log::Level::trace;
  if (level == "debug") return Log::Level::debug;
  if (level == "info") return Log::Level::info;
  if (level == "warn" || level == "warning") return Log::Level::warn;
  if (level == "error" || level == "fatal" || level == "off") return Log::Level::error;
  return std::nullopt;
}

std::optional<std::uint64_t> LogLimiter::pass(std::int64_t now_ms) {
  std::int64_t next = next_ms_.load();
  if (now_ms < next || !next_ms_.compare_exchange_strong(next, now_ms + interval_ms_)) {
    held_.fetch_add(1);
    return std::nullopt;
  }
  return held_.exchange(0);
}

}  // namespace standpipe
