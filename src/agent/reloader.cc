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
}  // namespace

Reloader::Reloader(Agent& agent, ConfigurationSource source, Properties system_properties,
                   std::function<void(const Configuration&)> applied)
    : agent_(agent),
      source_(std::move(source)),
      system_properties_(std::move(system_properties)),
      tell_(std::move(applied)) {}

void Reloader::tell(const Configuration& configuration) const {
  if (tell_) tell_(configuration);
}

Status Reloader::apply_first(const Configuration& configuration, Texts texts) {
  applied_ = std::move(texts);
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

bool Reloader::same(const Texts& a, const Texts& b) const {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const ConfigText& x, const ConfigText& y) { return x.name == y.name && x.bytes == y.bytes; });
}

void Reloader::look() {
  auto texts = source_.read();
  if (!texts.ok()) {
    process_log().warn(
        fmt::format("the configuration can't be read, the agent goes on as it is: {}", texts.status().message()));
    return;
  }
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
  auto texts = source_.read();
  if (!texts.ok()) {
    process_log().warn(
        fmt::format("the configuration can't be read, the agent goes on as it is: {}", texts.status().message()));
    return;
  }
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
