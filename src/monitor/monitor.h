#pragma once

#include <cstdint>
#include <string>

#include "monitor/http_endpoint.h"
#include "monitor/registry.h"
#include "monitor/render.h"
#include "standpipe/memory_budget.h"

namespace standpipe {

struct MonitorOptions {
  std::string host;            ///< empty: all addresses, as Flume does
  std::uint16_t port = 41414;  ///< Flume's default
};

/// Publishes the registry over HTTP: `/metrics` as Flume does, `/metrics/prometheus`, `/healthz`, and a page at `/`.
/// Costs nothing while nobody asks. Start and stop it from one thread; a reload need not touch it. What it is given
/// outlives it.
class Monitor {
 public:
  Monitor(const Registry& registry, Network& network, Clock& clock, const MemoryBudget& budget, Log& log);

  /// Code::unavailable when the address can't be had: Flume logs that and goes on, and so should the caller.
  Status start(const MonitorOptions& options);
  void stop() { endpoint_.stop(); }
  std::uint16_t port() const { return endpoint_.port(); }

 private:
  HttpReply page(std::string_view path);
  HttpReply health();
  std::string prometheus() const;

  const Registry& registry_;
  Clock& clock_;
  const MemoryBudget& budget_;
  HealthJudge judge_;  // loop's thread only
  HttpEndpoint endpoint_;
};

}  // namespace standpipe
