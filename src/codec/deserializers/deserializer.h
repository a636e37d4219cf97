#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "codec/charset.h"
#include "io/file_system.h"
#include "standpipe/batch.h"
#include "standpipe/component.h"
#include "standpipe/headers.h"
#include "standpipe/settings.h"
#include "standpipe/status.h"

namespace standpipe {

/// A place in a file between two events.
struct DeserializerMark {
  std::uint64_t offset = 0;  ///< what Flume's tracker stores: a byte offset, for AVRO that of a block
  std::uint64_t record = 0;  ///< records of that block that are done
  std::uint64_t events = 0;  ///< events of the file before it
};

/// The file that a deserializer reads. All of it outlives the deserializer.
struct DeserializerInput {
  File& file;
  std::uint64_t size;  ///< read so far and no further: the size when the file was opened
  std::string name;    ///< for messages
  std::string charset = "UTF-8";
  OnMalformed on_error = OnMalformed::fail;
  std::shared_ptr<const Headers> headers = std::make_shared<const Headers>();  ///< of every event
  MemoryBudget& budget;
  Log& log;
};

/// Makes events out of a file, batch by batch, and says where it stands. One thread.
class Deserializer {
 public:
  virtual ~Deserializer() = default;
  /// Appends up to `max_events` events to the empty `batch`; none: the end. Code::full when the memory budget has no
  /// room just now (try again), Code::corrupt when the bytes are not what they should be; what `batch` holds then
  /// precedes the damage and counts as read.
  virtual Status read(Batch& batch, std::size_t max_events) = 0;
  /// Behind the last event.
  virtual DeserializerMark mark() const = 0;
  /// Goes to a place that mark() gave for this file.
  virtual Status seek(const DeserializerMark& mark) = 0;
};

/// How a deserializer is made: its table, and a function.
struct DeserializerFactory {
  const ComponentInfo* info;
  Result<std::unique_ptr<Deserializer>> (*create)(const Settings& settings, DeserializerInput input);
};

extern const ComponentInfo kLineDeserializerInfo;
extern const ComponentInfo kAvroDeserializerInfo;
extern const ComponentInfo kBlobDeserializerInfo;
extern const DeserializerFactory kLineDeserializer;
extern const DeserializerFactory kAvroDeserializer;
extern const DeserializerFactory kBlobDeserializer;

/// The one that `type` names (alias in any case, or Flume's class name); null: none.
const DeserializerFactory* find_deserializer(std::string_view type);

}  // namespace standpipe
