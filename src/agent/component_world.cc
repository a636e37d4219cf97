#include "agent/component_world.h"

namespace standpipe {

ComponentWorld::ComponentWorld(const ProcessWorld& process, const std::string& agent, const std::string& kind,
                               const std::string& name)
    : log_(make_log(kind + " " + name)),
      environment_{.agent = agent,
                   .component = name,
                   .state_dir = process.state_root + "/" + kind + "-" + name,
                   .log = *log_,
                   .clock = process.clock,
                   .files = process.files,
                   .network = &process.network,
                   .budget = process.budget,
                   .counters = counters_} {}

void ComponentWorld::set_quarantine(std::unique_ptr<Quarantine> quarantine) {
  quarantine_ = std::move(quarantine);
  environment_.quarantine = quarantine_.get();
}

}  // namespace standpipe
