#include "codec/serializers/avro_serializer.h"

#include "base/check.h"
#include "codec/avro/container_writer.h"
#include "codec/avro/datum.h"

namespace standpipe {

namespace {

constexpr Option kAvroOptions[] = {
    {.name = "syncIntervalBytes",
     .kind = Kind::integer,
     .fallback = "2048000",
     .help = "size at which a block of the file is closed",
     .unit = "bytes",
     .min = 32,
     .max = 1 << 30},
    {.name = "compressionCodec",
     .kind = Kind::choice,
     .fallback = "null",
     .help = "compression of the blocks; null: none",
     .lenient = true,
     .choices = "null|deflate|snappy|bzip2|xz|zstandard"},
};
constexpr std::string_view kAvroClasses[] = {"org.apache.flume.serialization.FlumeEventAvroEventSerializer$Builder"};

avro::ContainerWriter::Options options_of(const Settings& settings) {
  const auto codec = avro::find_codec(settings.choice("compressionCodec"));
  CHECK(codec.ok());  // the table lists what there is
  avro::ContainerWriter::Options options;
  options.schema_json = avro::kEventSchema;
  options.codec = *codec;
  options.sync_interval = static_cast<std::size_t>(settings.integer("syncIntervalBytes"));
  return options;
}

class AvroEventSerializer final : public EventSerializer {
 public:
  explicit AvroEventSerializer(const Settings& settings) : writer_(options_of(settings)) {}

  Status begin(std::string& out) override {
    writer_.header(out);
    return {};
  }
  Status append(const EventRef& event, std::string& out) override {
    avro::put_event(writer_.pending(), *event.headers, event.body);
    return writer_.appended(out);
  }
  Status flush(std::string& out) override { return writer_.finish_block(out); }

 private:
  avro::ContainerWriter writer_;
};

}  // namespace

const ComponentInfo kAvroEventSerializer{.kind = ComponentKind::serializer,
                                         .name = "avro_event",
                                         .class_names = kAvroClasses,
                                         .summary = "An Avro container file of records with headers and body.",
                                         .options = kAvroOptions};

std::unique_ptr<EventSerializer> make_avro_event_serializer(const Settings& settings) {
  return std::make_unique<AvroEventSerializer>(settings);
}

}  // namespace standpipe
