#pragma once

#include <span>

#include "standpipe/option.h"

/// The lists that known.cc joins, one a file of this folder.
namespace standpipe {

std::span<const ComponentInfo* const> config_filter_infos();
std::span<const ComponentInfo* const> unbuilt_sources();
std::span<const ComponentInfo* const> unbuilt_channels();
std::span<const ComponentInfo* const> unbuilt_sinks();
std::span<const ComponentInfo* const> unbuilt_storage_sinks();
std::span<const ComponentInfo* const> unbuilt_interceptors();
std::span<const ComponentInfo* const> unbuilt_serializers();

}  // namespace standpipe
