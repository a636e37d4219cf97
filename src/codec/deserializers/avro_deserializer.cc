#include "codec/avro/container_reader.h"
#include "codec/deserializers/deserializer.h"

namespace standpipe {

namespace {

/// One event a record of an Avro container file: the datum as it stands in the file, the schema in a header.
class AvroDeserializer final : public Deserializer {
 public:
  AvroDeserializer(avro::ContainerReader reader, const DeserializerInput& input, std::shared_ptr<const Headers> headers)
      : reader_(std::move(reader)), budget_(input.budget), name_(input.name), headers_(std::move(headers)) {
    mark_.offset = reader_.position().block;
  }

  Status read(Batch& batch, std::size_t max_events) override {
    const Batch::Block block = batch.add_headers(headers_);
    while (batch.size() < max_events) {
      auto datum = reader_.next();
      if (!datum.ok()) return datum.status().with_context(name_);
      if (!datum->has_value()) return {};
      batch.add_copy(**datum, block, &budget_);
      const avro::ContainerReader::Position position = reader_.position();
      mark_ = {position.block, position.record, mark_.events + 1};
    }
    return {};
  }

  DeserializerMark mark() const override { return mark_; }
  Status seek(const DeserializerMark& mark) override {
    mark_ = mark;
    return reader_.seek({mark.offset, mark.record});
  }

 private:
  avro::ContainerReader reader_;
  MemoryBudget& budget_;
  const std::string name_;
  const std::shared_ptr<const Headers> headers_;
  DeserializerMark mark_;
};

constexpr Option kOptions[] = {
    {.name = "schemaType",
     .kind = Kind::choice,
     .fallback = "HASH",
     .help = "how the schema is told: header flume.avro.schema.hash, or the whole text in flume.avro.schema.literal",
     .choices = "HASH|LITERAL"},
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.serialization.AvroEventDeserializer$Builder"};

Result<std::unique_ptr<Deserializer>> create(const Settings& settings, DeserializerInput input) {
  File& file = input.file;
  const std::uint64_t size = input.size;
  auto reader = avro::ContainerReader::open(
      [&file, size](std::uint64_t offset, char* target, std::size_t wanted) -> Result<std::size_t> {
        if (offset >= size) return std::size_t{0};
        return file.read_at(offset, target, static_cast<std::size_t>(std::min<std::uint64_t>(wanted, size - offset)));
      });
  if (!reader.ok()) return reader.status().with_context(input.name);
  Headers headers = *input.headers;
  if (settings.choice("schemaType") == "literal") {
    headers.set("flume.avro.schema.literal", reader->schema().json());
  } else {
    headers.set("flume.avro.schema.hash", reader->schema().fingerprint_hex());
  }
  return std::unique_ptr<Deserializer>(std::make_unique<AvroDeserializer>(
      std::move(*reader), input, std::make_shared<const Headers>(std::move(headers))));
}

}  // namespace

const ComponentInfo kAvroDeserializerInfo{
    .kind = ComponentKind::deserializer,
    .name = "avro",
    .class_names = kClassNames,
    .summary = "One event a record of an Avro container file.",
    .options = kOptions,
};
const DeserializerFactory kAvroDeserializer{&kAvroDeserializerInfo, create};

const DeserializerFactory* find_deserializer(std::string_view type) {
  static constexpr const DeserializerFactory* kAll[] = {&kLineDeserializer, &kAvroDeserializer, &kBlobDeserializer};
  static const ComponentInfo* const kInfos[] = {kLineDeserializer.info, kAvroDeserializer.info, kBlobDeserializer.info};
  const ComponentInfo* info = find_component(kInfos, ComponentKind::deserializer, type);
  for (const DeserializerFactory* factory : kAll) {
    if (factory->info == info && info != nullptr) return factory;
  }
  return nullptr;
}

}  // namespace standpipe
