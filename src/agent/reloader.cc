#include "agent/reloader.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "config/check.h"

namespace standpipe {

namespace {
using SteadyClock = std::chrono::steady_clock;
constexpr std::chrono::seconds kSettle{1};  // a changed file is read again after this

/// By content alone: what was read from a backup is the same text by another name.
bool same(const Reloader::Texts& a, const Reloader::Texts& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const ConfigText& x, const ConfigText& y) { return x.bytes == y.bytes; });
}

}  // namespace

Reloader::Reloader(Agent& agent, ConfigurationSource& source, Properties system_properties, Applied applied)
    : agent_(agent), source_(source), system_properties_(std::move(system_properties)), tell_(std::move(applied)) {}

void Reloader::tell(const Configuration& configuration) const {
  if (tell_) tell_(configuration, applied_);
}

Status Reloader::apply_first(const Configuration& configuration, Texts texts, std::string unreadable) {
  applied_ = std::move(texts);
  unreadable_ = std::move(unreadable);
  accepted_ = diagnostics_of(configuration, agent_.name());
  TRY(agent_.apply(*configuration.find(agent_.name())));
  tell(configuration);
  return {};
}

std::chrono::milliseconds Reloader::until_next_look(int interval_s) {
  const auto now = SteadyClock::now();
  if (next_look_ <= now) {
    const auto interval = interval_s > 0 ? std::chrono::seconds(interval_s) : source_.default_interval();
    next_look_ = now + (candidate_.empty() ? interval : kSettle);
  }
  return std::chrono::ceil<std::chrono::milliseconds>(next_look_ - now);
}

bool Reloader::look_is_due() const { return SteadyClock::now() >= next_look_; }

/// A source that stays away is said once, and once more when it is back.
Result<Reloader::Texts> Reloader::read() {
  auto texts = source_.read();
  const std::string trouble = texts.status().message();
  if (!trouble.empty() && trouble != unreadable_) {
    process_log().warn(fmt::format("the configuration can't be read, the agent goes on as it is: {}", trouble));
  }
  if (trouble.empty() && !unreadable_.empty()) process_log().info("the configuration can be read again");
  unreadable_ = trouble;
  return texts;
}

void Reloader::look_now() {
  next_look_ = {};
  look();
}

void Reloader::look() {
  auto texts = read();
  if (!texts.ok()) return;
  if (same(*texts, applied_)) {
    candidate_.clear();
    return;
  }
  if (!same(*texts, candidate_)) {
    candidate_ = std::move(texts).value();
    return;
  }
  candidate_.clear();
  apply(*texts);
}

void Reloader::reload_now() {
  auto texts = read();
  if (!texts.ok()) return;
  candidate_.clear();
  apply(*texts);
}

void Reloader::apply(const Texts& texts) {
  applied_ = texts;
  process_log().info("the configuration changed");
  const Configuration configuration = load_for_process(texts, system_properties_);
  const Diagnostics diagnostics = diagnostics_of(configuration, agent_.name());
  log_diagnostics(diagnostics);
  const AgentGraph* wanted = configuration.find(agent_.name());
  if (wanted == nullptr || wanted->empty()) {
    process_log().error(fmt::format(
        "refused: the new configuration has nothing to run for agent {}; it goes on as it was", agent_.name()));
    return;
  }
  if (const Diagnostics found = refusing(agent_.graph(), accepted_, diagnostics); !found.empty()) {
    process_log().error(
        fmt::format("refused: {} of the errors would break what runs now; the agent goes on as it was. The first: {}",
                    found.size(), split(render(found.front()), '\n').front()));
    return;
  }
  if (const Status status = agent_.apply(*wanted); !status.ok()) {
    process_log().error(fmt::format("{}; the agent goes on as it was", status.message()));
    return;
  }
  accepted_ = diagnostics;
  tell(configuration);
  process_log().info("the new configuration is applied");
}

void log_diagnostics(const Diagnostics& diagnostics) {
  for (const Diagnostic& each : diagnostics) {
    const Log::Level level = each.severity == Severity::error     ? Log::Level::error
                             : each.severity == Severity::warning ? Log::Level::warn
                                                                  : Log::Level::info;
    std::string text = fmt::format("{}:{}: {}: {}", each.file, each.line, each.key, each.message);
    if (!each.suggestion.empty()) text += "; " + each.suggestion;
    if (!each.consequence.empty()) text += " -> " + each.consequence;
    process_log().write(level, text);
  }
}

}  // namespace standpipe
