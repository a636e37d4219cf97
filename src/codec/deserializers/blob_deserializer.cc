#include <algorithm>

#include <fmt/format.h>

#include "codec/deserializers/deserializer.h"

namespace standpipe {

namespace {

/// A whole file as one event; a longer one in pieces. Each blob is a slab of its own.
class BlobDeserializer final : public Deserializer {
 public:
  BlobDeserializer(DeserializerInput input, std::uint64_t max_length)
      : input_(std::move(input)), max_length_(max_length) {}

  Status read(Batch& batch, std::size_t max_events) override {
    const Batch::Block block = input_.headers->empty() ? Batch::kNoHeaders : batch.add_headers(input_.headers);
    while (batch.size() < max_events && mark_.offset < input_.size) {
      const std::uint64_t size = std::min(max_length_, input_.size - mark_.offset);
      auto slab = Slab::try_make(size, input_.budget, MemoryBudget::Use::intake);
      // What was read already goes out first; the rest when there is room.
      if (slab == nullptr && !batch.empty()) return {};
      if (slab == nullptr) return no_room(size);
      TRY_ASSIGN(const std::size_t got, input_.file.read_at(mark_.offset, slab->data(), size));
      if (got < size) return {Code::corrupt, input_.name + " became shorter while it was read"};
      batch.pin(slab);
      batch.add({slab->data(), got}, block);
      mark_.offset += got;
      ++mark_.events;
      if (got == max_length_ && mark_.offset < input_.size) {
        input_.log.warn(
            fmt::format("{} is longer than maxBlobLength ({} bytes): it comes in pieces", input_.name, max_length_));
      }
    }
    return {};
  }

  DeserializerMark mark() const override { return mark_; }
  Status seek(const DeserializerMark& mark) override {
    mark_ = mark;
    return {};
  }

 private:
  Status no_room(std::uint64_t size) const {
    if (size <= input_.budget.intake_limit()) return {Code::full, "the memory budget has no room for " + input_.name};
    return {Code::corrupt,
            fmt::format("{}: a blob of {} bytes is more than the memory budget allows ({}); raise -Xmx or lower "
                        "deserializer.maxBlobLength",
                        input_.name, size, input_.budget.intake_limit())};
  }

  DeserializerInput input_;
  const std::uint64_t max_length_;
  DeserializerMark mark_;
};

constexpr Option kOptions[] = {
    {.name = "maxBlobLength",
     .kind = Kind::integer,
     .fallback = "100000000",
     .help = "longer files come in pieces",
     .unit = "bytes",
     .min = 1,
     .max = 0xFFFFFFFF},
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.sink.solr.morphline.BlobDeserializer$Builder"};

Result<std::unique_ptr<Deserializer>> create(const Settings& settings, DeserializerInput input) {
  return std::unique_ptr<Deserializer>(std::make_unique<BlobDeserializer>(
      std::move(input), static_cast<std::uint64_t>(settings.integer("maxBlobLength"))));
}

}  // namespace

const ComponentInfo kBlobDeserializerInfo{
    .kind = ComponentKind::deserializer,
    .name = "blob",
    .class_names = kClassNames,
    .summary = "A whole file as one event.",
    .options = kOptions,
};
const DeserializerFactory kBlobDeserializer{&kBlobDeserializerInfo, create};

}  // namespace standpipe
