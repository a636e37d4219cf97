#pragma once

#include <ios>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "agent/agent.h"
#include "agent/reloader.h"
#include "io/faulty_file_system.h"
#include "monitor/render.h"
#include "net/network.h"
#include "support/test_environment.h"

namespace standpipe::testing {

/// The machine's network, except that every listener gets a free port: a test asks where the one that wanted `port` is.
class FreePortNetwork final : public Network {
 public:
  Result<std::unique_ptr<Listener>> listen(const ListenOptions& options, Accept accept) override;
  /// A port that a listener wanted means that listener.
  std::unique_ptr<Connecting> connect(const ConnectOptions& options, Connected connected) override;
  std::unique_ptr<Timer> call_after(std::chrono::milliseconds delay, std::function<void()> task) override {
    return network_->call_after(delay, std::move(task));
  }
  void run(const std::function<void()>& task) override { network_->run(task); }
  void post(std::function<void()> task) override { network_->post(std::move(task)); }
  Door door() override { return network_->door(); }

  /// The real port of the last listener that wanted `port`; 0: there was none.
  std::uint16_t port(std::uint16_t wanted) const;

 private:
  const std::unique_ptr<Network> network_ = make_network();
  mutable std::mutex mutex_;
  std::map<std::uint16_t, std::uint16_t> ports_;
};

/// A whole agent in a test's process, as main() puts it together: real components, files, sockets and clock. Its
/// configuration is a file in the test's folder, its log another. Named a1.
class AgentWorld {
 public:
  AgentWorld();
  ~AgentWorld();

  /// Replaces the configuration file and applies it: the first time as a start, then as SIGHUP does.
  void apply(std::string_view text);
  Agent& agent() { return *agent_; }
  Reloader& reloader() { return *reloader_; }
  FreePortNetwork& network() { return network_; }
  /// The machine's files, as the agent sees them.
  FaultyFileSystem& files() { return files_; }
  /// A path in the test's folder.
  std::string file(std::string_view name) const { return directory_.file(name); }

  /// "SOURCE.r1" -> its counters and gauges.
  std::map<std::string, std::map<std::string, double>> counters() const;
  double counter(const std::string& component, const std::string& name) const;
  /// What /healthz would say of it now.
  std::string health();
  /// Whether the log has this text behind the place where mark_log() was called last.
  bool logged(std::string_view part) const;
  void mark_log();
  std::string log_since_mark() const;
  std::string log() const;

 private:
  std::string log_from(std::streamoff place) const;

  TemporaryDirectory directory_;
  std::streamoff log_mark_ = 0;
  SystemClock clock_;
  FaultyFileSystem files_;
  MemoryBudget budget_{512u << 20};
  EngineThread engine_{clock_};
  FreePortNetwork network_;
  Registry registry_;
  HealthJudge judge_;
  ProcessWorld world_;
  std::unique_ptr<Agent> agent_;
  FilesAndUrls source_{{{directory_.file("a1.conf"), "", ""}}};
  std::unique_ptr<Reloader> reloader_;
  bool started_ = false;
};

}  // namespace standpipe::testing
