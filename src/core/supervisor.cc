#include "core/supervisor.h"

#include <fmt/format.h>

#include "base/failpoint.h"
#include "core/wakers.h"

namespace standpipe {

Supervisor::Supervisor(Log& log, Clock& clock, SupervisorOptions options)
    : log_(log), clock_(clock), options_(options) {}

Supervisor::~Supervisor() { stop(); }

template <typename R>
R& Supervisor::add_to(Runners<R>& runners, std::unique_ptr<R> runner) {
  R& added = *runner;
  {
    std::lock_guard lock(mutex_);
    runners.insert_or_assign(added.name(), std::move(runner));
  }
  if (started_) added.start();
  return added;
}

ChannelRunner& Supervisor::add(std::unique_ptr<ChannelRunner> channel) { return add_to(channels_, std::move(channel)); }
SinkRunner& Supervisor::add(std::unique_ptr<SinkRunner> sink) { return add_to(sinks_, std::move(sink)); }
SourceRunner& Supervisor::add(std::unique_ptr<SourceRunner> source) { return add_to(sources_, std::move(source)); }

namespace {
template <typename Runners>
auto* find_in(Runners& runners, std::string_view name) {
  const auto found = runners.find(name);
  return found == runners.end() ? nullptr : found->second.get();
}
}  // namespace

ChannelRunner* Supervisor::channel(std::string_view name) { return find_in(channels_, name); }
SinkRunner* Supervisor::sink(std::string_view name) { return find_in(sinks_, name); }
SourceRunner* Supervisor::source(std::string_view name) { return find_in(sources_, name); }

void Supervisor::start() {
  started_ = true;
  for (auto& [name, channel] : channels_) channel->start();
  for (auto& [name, sink] : sinks_) sink->start();
  for (auto& [name, source] : sources_) source->start();
}

template <typename R>
void Supervisor::stop_all(Runners<R>& runners, StopReport& report) {
  for (auto& [name, runner] : runners) runner->request_stop();
  const Clock::Steady deadline = clock_.steady_now() + options_.stop_timeout;
  for (auto& [name, runner] : runners) {
    if (!await_stopped(*runner, deadline)) report.abandoned.push_back(runner->label());
  }
}

bool Supervisor::await_stopped(Runner& runner, Clock::Steady deadline) {
  if (runner.await_stopped(deadline)) return true;
  log_.error(
      fmt::format("{} did not stop within {} ms and is abandoned", runner.label(), options_.stop_timeout.count()));
  return false;
}

StopReport Supervisor::stop() {
  StopReport report;
  if (!started_) return report;
  started_ = false;
  stop_all(sources_, report);
  drain_volatile();
  stop_all(sinks_, report);
  stop_all(channels_, report);
  // Asked last: sinks may have given events back while they ended, and a channel may have brought some to safety.
  for (const auto& [name, runner] : channels_) {
    const std::int64_t lost = runner->channel().lost_at_end();
    if (lost == 0) continue;
    report.left_behind[name] = lost;
    log_.error(fmt::format("channel {} still held {} events in memory: they are lost", name, lost));
  }
  return report;
}

void Supervisor::drain_volatile() {
  if (FAILPOINT("stop.skip_drain")) return;
  const Clock::Steady deadline = clock_.steady_now() + options_.drain_timeout;
  for (auto& [name, runner] : channels_) {
    if (runner->channel().is_volatile()) drain(runner->channel(), deadline);
  }
}

bool Supervisor::drain(Channel& channel, Clock::Steady deadline) {
  Signal signal;
  channel.add_space_waker(signal);  // every commit wakes
  while (channel.size() > 0 && clock_.steady_now() < deadline) {
    signal.arm();
    if (channel.size() > 0) signal.wait(clock_, {}, deadline);
  }
  channel.remove_space_waker(signal);
  return channel.size() == 0;
}

template <typename R>
std::string Supervisor::remove_from(Runners<R>& runners, std::string_view name) {
  std::unique_ptr<R> removed;
  {
    std::lock_guard lock(mutex_);
    const auto found = runners.find(name);
    if (found == runners.end()) return {};
    removed = std::move(found->second);
    runners.erase(found);
  }
  removed->request_stop();
  return await_stopped(*removed, clock_.steady_now() + options_.stop_timeout) ? "" : removed->label();
}

std::string Supervisor::remove_source(std::string_view name) { return remove_from(sources_, name); }
std::string Supervisor::remove_sink(std::string_view name) { return remove_from(sinks_, name); }
std::string Supervisor::remove_channel(std::string_view name) { return remove_from(channels_, name); }

std::vector<ComponentHealth> Supervisor::health() const {
  std::lock_guard lock(mutex_);
  std::vector<ComponentHealth> all;
  for (const auto& [name, runner] : sources_) all.push_back({runner->label(), runner->health()});
  for (const auto& [name, runner] : channels_) all.push_back({runner->label(), runner->health()});
  for (const auto& [name, runner] : sinks_) all.push_back({runner->label(), runner->health()});
  return all;
}

}  // namespace standpipe
