#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "codec/serializers/event_serializer.h"
#include "standpipe/settings.h"

namespace standpipe::hdfs {

/// Makes what turns events into the bytes of one file: hdfs.fileType with hdfs.writeFormat, hdfs.codeC and serializer.
/// Every file format is an EventSerializer, so that the bucket writer knows only one thing.
class FormatFactory {
 public:
  FormatFactory() = default;
  static Result<FormatFactory> make(const Settings& settings);

  std::unique_ptr<EventSerializer> operator()(Clock& clock) const;
  /// The codec's usual ending, ".gz"; empty without one.
  const std::string& extension() const { return extension_; }

 private:
  std::optional<SerializerFactory> serializer_;
  std::string extension_;
};

}  // namespace standpipe::hdfs
