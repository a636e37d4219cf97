#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "codec/compress/compressor.h"
#include "codec/sequence_file/sequence_file_writer.h"
#include "codec/serializers/event_serializer.h"
#include "standpipe/settings.h"

namespace standpipe::hdfs {

/// Makes what turns events into the bytes of one file: hdfs.fileType with hdfs.writeFormat, hdfs.codeC and serializer.
/// Every file format is an EventSerializer, so that the bucket writer knows only one thing.
class FormatFactory {
 public:
  FormatFactory() = default;
  static Result<FormatFactory> make(const Settings& settings);

  /// `clock` gives a SequenceFile's keys where an event has no timestamp; it must outlive what is made.
  std::unique_ptr<EventSerializer> operator()(Clock& clock) const;
  /// The codec's usual ending, ".gz"; empty without one.
  std::string_view extension() const { return codec_.extension; }

 private:
  enum class Type : unsigned char { sequence_file, data_stream, compressed_stream };
  Type type_ = Type::sequence_file;
  HadoopCodecInfo codec_{HadoopCodec::none, {}, {}};
  SequenceFileWriter::Value value_ = SequenceFileWriter::Value::bytes_writable;
  std::optional<SerializerFactory> serializer_;
};

}  // namespace standpipe::hdfs
