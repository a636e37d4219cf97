#include "support/agent_world.h"

#include <fstream>
#include <iterator>

#include "agent/builtin.h"
#include "base/check.h"
#include "config/load.h"

namespace standpipe::testing {

Result<std::unique_ptr<Listener>> FreePortNetwork::listen(const ListenOptions& options, Accept accept) {
  ListenOptions any = options;
  any.port = 0;
  auto listener = network_->listen(any, std::move(accept));
  if (listener.ok()) {
    std::lock_guard lock(mutex_);
    ports_[options.port] = (*listener)->port();
  }
  return listener;
}

std::unique_ptr<Connecting> FreePortNetwork::connect(const ConnectOptions& options, Connected connected) {
  ConnectOptions real = options;
  if (const std::uint16_t listening = port(options.port); listening != 0) real.port = listening;
  return network_->connect(real, std::move(connected));
}

std::uint16_t FreePortNetwork::port(std::uint16_t wanted) const {
  std::lock_guard lock(mutex_);
  const auto found = ports_.find(wanted);
  return found == ports_.end() ? 0 : found->second;
}

AgentWorld::AgentWorld()
    : files_(real_file_system()),
      world_{clock_, files_, network_, budget_, engine_, registry_, directory_.file("state")} {
  CHECK(configure_logging({.level = Log::Level::info, .file = directory_.file("log")}).ok());
  agent_ = std::make_unique<Agent>(world_, "a1");
  reloader_ = std::make_unique<Reloader>(*agent_, source_, Reloader::Properties{});
}

AgentWorld::~AgentWorld() {
  agent_->stop();
  CHECK(configure_logging({}).ok());
}

void AgentWorld::apply(std::string_view text) {
  const std::string path = directory_.file("a1.conf");
  std::ofstream(path, std::ios::binary) << text;
  if (started_) return reloader_->reload_now();
  started_ = true;
  const Reloader::Texts texts{{path, std::string(text)}};
  const Configuration configuration = load_for_process(texts, {});
  log_diagnostics(configuration.diagnostics);
  CHECK(configuration.find("a1") != nullptr);
  CHECK(reloader_->apply_first(configuration, texts).ok());
}

std::map<std::string, std::map<std::string, double>> AgentWorld::counters() const {
  std::map<std::string, std::map<std::string, double>> all;
  for (const ComponentReading& reading : registry_.read()) all[reading.key()] = reading.values;
  return all;
}

double AgentWorld::counter(const std::string& component, const std::string& name) const {
  const auto all = counters();
  const auto found = all.find(component);
  if (found == all.end()) return -1;
  const auto value = found->second.find(name);
  return value == found->second.end() ? -1 : value->second;
}

std::string AgentWorld::health() { return render_health(judge_.judge(registry_.read(), clock_.now_ms())); }

std::string AgentWorld::log() const { return log_from(0); }
std::string AgentWorld::log_since_mark() const { return log_from(log_mark_); }

std::string AgentWorld::log_from(std::streamoff place) const {
  std::ifstream in(directory_.file("log"), std::ios::binary);
  in.seekg(place);
  return {std::istreambuf_iterator<char>(in), {}};
}

void AgentWorld::mark_log() {
  std::ifstream in(directory_.file("log"), std::ios::binary | std::ios::ate);
  log_mark_ = in.tellg();
}

bool AgentWorld::logged(std::string_view part) const { return log_since_mark().find(part) != std::string::npos; }

}  // namespace standpipe::testing
