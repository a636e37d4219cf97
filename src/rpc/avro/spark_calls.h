#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "codec/avro/datum.h"
#include "standpipe/status.h"

namespace standpipe::avro {

/// What a receiver of Spark's asks for: a call of SparkFlumeProtocol.
struct SparkCall {
  enum class Kind : unsigned char { get_event_batch, ack, nack };
  Kind kind = Kind::get_event_batch;
  std::int32_t events = 0;    ///< get_event_batch: the most that it takes
  std::string_view sequence;  ///< ack and nack: the batch that is meant; points into the message
};

/// Empty: there is no such method. Code::corrupt: these are no parameters of it.
Result<std::optional<SparkCall>> get_spark_call(std::string_view method, DatumReader& parameters);

/// What stands in front of the events of a batch, for encode_events().
std::string spark_batch_front(std::string_view sequence);
/// A batch without events that says why: Spark's receiver logs it and asks again.
void put_spark_error(std::string& out, std::string_view why);
/// What ack and nack are answered with.
void put_spark_done(std::string& out);

}  // namespace standpipe::avro
