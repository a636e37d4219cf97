#include "config/known/known.h"

#include <vector>

#include "config/known/groups.h"

namespace standpipe {

namespace {

std::vector<const ComponentInfo*> all_groups() {
  std::vector<const ComponentInfo*> all;
  for (const auto group : {config_filter_infos(), unbuilt_sources(), unbuilt_channels(), unbuilt_sinks(),
                           unbuilt_storage_sinks(), unbuilt_interceptors(), unbuilt_serializers()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  return all;
}

}  // namespace

std::span<const ComponentInfo* const> known_components() {
  static const std::vector<const ComponentInfo*> kAll = all_groups();
  return kAll;
}

}  // namespace standpipe
