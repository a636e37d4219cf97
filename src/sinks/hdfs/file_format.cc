#include "sinks/hdfs/file_format.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/text.h"

namespace standpipe::hdfs {

namespace {

// Raw bytes gather up to this before they go through a compressor: its calls cost more than the copy.
constexpr std::size_t kRawBytes = 64 * 1024;

/// A serializer's bytes through a codec. Each flush ends a member, as in Flume: the file is a concatenation of members,
/// and whatever stands behind the last flush can be cut away without hurting those before.
class CompressedFormat final : public EventSerializer {
 public:
  CompressedFormat(std::unique_ptr<EventSerializer> serializer, HadoopCodec codec)
      : serializer_(std::move(serializer)), compressor_(make_compressor(codec)) {}

  Status begin(std::string&) override { return serializer_->begin(raw_); }
  Status append(const EventRef& event, std::string& out) override {
    TRY(serializer_->append(event, raw_));
    return raw_.size() < kRawBytes ? Status() : compress(out);
  }
  Status flush(std::string& out) override {
    TRY(serializer_->flush(raw_));
    return end_member(out);
  }
  Status finish(std::string& out) override {
    TRY(serializer_->finish(raw_));
    return end_member(out);
  }

 private:
  Status compress(std::string& out) {
    TRY(compressor_->write(raw_, out));
    raw_.clear();
    return {};
  }
  Status end_member(std::string& out) {
    TRY(compress(out));
    return compressor_->finish(out);
  }

  std::unique_ptr<EventSerializer> serializer_;
  std::unique_ptr<Compressor> compressor_;
  std::string raw_;
};

class SequenceFormat final : public EventSerializer {
 public:
  SequenceFormat(SequenceFileWriter::Options options, Clock& clock)
      : writer_(options, SequenceFileWriter::random_marker()), clock_(clock) {}

  Status begin(std::string& out) override {
    writer_.header(out);
    return {};
  }
  Status append(const EventRef& event, std::string& out) override {
    TRY_ASSIGN(const std::int64_t key, key_of(event));
    return writer_.append(key, event.body, out);
  }
  Status flush(std::string& out) override { return writer_.sync(out); }

 private:
  Result<std::int64_t> key_of(const EventRef& event) {
    const auto timestamp = event.headers->get("timestamp");
    if (!timestamp) return clock_.now_ms();
    const auto key = parse_integer(*timestamp);
    if (key) return *key;
    return Status(Code::poison, fmt::format("header timestamp '{}' is no number, which a SequenceFile's key must be",
                                            timestamp->substr(0, 40)));
  }

  SequenceFileWriter writer_;
  Clock& clock_;
};

Result<SequenceFileWriter::Value> value_of(const std::string& format) {
  if (equals_ignoring_case(format, "Writable") ||
      format == "org.apache.flume.sink.hdfs.HDFSWritableSerializer$Builder") {
    return SequenceFileWriter::Value::bytes_writable;
  }
  if (equals_ignoring_case(format, "Text") || format == "org.apache.flume.sink.hdfs.HDFSTextSerializer$Builder") {
    return SequenceFileWriter::Value::text;
  }
  return Status(Code::invalid,
                fmt::format("hdfs.writeFormat: there is no '{}'; there are Writable and Text (Java classes "
                            "can't be loaded)",
                            format));
}

}  // namespace

Result<FormatFactory> FormatFactory::make(const Settings& settings) {
  FormatFactory factory;
  const auto codec = find_hadoop_codec(settings.text("hdfs.codeC"));
  if (!codec.ok()) return codec.status().with_context("hdfs.codeC: ");
  factory.codec_ = *codec;
  const bool compressed = factory.codec_.codec != HadoopCodec::none;
  const std::string type = settings.choice("hdfs.fileType");
  if (type == "sequencefile") {
    if (factory.codec_.codec == HadoopCodec::lzop) {
      return Status(Code::invalid,
                    "hdfs.codeC: lzop is a file format of its own and can't be used inside a SequenceFile; "
                    "set hdfs.fileType = CompressedStream");
    }
    TRY_ASSIGN(factory.value_, value_of(settings.text("hdfs.writeFormat")));
    return factory;
  }
  factory.type_ = type == "datastream" ? Type::data_stream : Type::compressed_stream;
  if (factory.type_ == Type::data_stream && compressed) {
    return Status(
        Code::invalid,
        "hdfs.fileType: DataStream can't compress; remove hdfs.codeC or set hdfs.fileType = CompressedStream");
  }
  if (factory.type_ == Type::compressed_stream && !compressed) {
    return Status(Code::invalid,
                  "hdfs.fileType: CompressedStream needs hdfs.codeC (gzip, bzip2, snappy, lz4, zstandard, …)");
  }
  auto serializer = SerializerFactory::make(settings.text("serializer"), settings.below("serializer."));
  if (!serializer.ok()) return serializer.status().with_context("serializer: ");
  factory.serializer_ = std::move(serializer).value();
  return factory;
}

std::unique_ptr<EventSerializer> FormatFactory::operator()(Clock& clock) const {
  switch (type_) {
    case Type::sequence_file:
      return std::make_unique<SequenceFormat>(SequenceFileWriter::Options{.value = value_, .codec = codec_}, clock);
    case Type::data_stream: return (*serializer_)();
    case Type::compressed_stream: return std::make_unique<CompressedFormat>((*serializer_)(), codec_.codec);
  }
  CHECK(false && "no such file type");
  return nullptr;
}

}  // namespace standpipe::hdfs
