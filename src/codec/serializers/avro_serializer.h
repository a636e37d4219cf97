#pragma once

#include "codec/serializers/event_serializer.h"

namespace standpipe {

/// Flume's AVRO_EVENT: an Avro object container file of records with headers and body. A flush ends a block, so that a
/// reader sees every event before it.
std::unique_ptr<EventSerializer> make_avro_event_serializer(const Settings& settings);

}  // namespace standpipe
