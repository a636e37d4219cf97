#include "codec/serializers/event_serializer.h"

#include <fmt/format.h>

#include "codec/serializers/text_serializers.h"

namespace standpipe {

namespace {
constexpr const ComponentInfo* kInfos[] = {&kTextSerializer, &kHeaderAndTextSerializer};
}  // namespace

std::span<const ComponentInfo* const> serializer_infos() { return kInfos; }

Result<SerializerFactory> SerializerFactory::make(std::string_view type, const Settings::Map& values) {
  const ComponentInfo* info = find_component(kInfos, ComponentKind::serializer, type);
  if (info == nullptr) {
    std::string known;
    for (const ComponentInfo* one : kInfos) known.append(known.empty() ? "" : ", ").append(one->name);
    return Status(Code::invalid, fmt::format("there is no serializer '{}'; there are: {}", type, known));
  }
  TRY_ASSIGN(Settings settings, Settings::parse(*info, values));
  Make make = &make_text_serializer;
  if (info == &kHeaderAndTextSerializer) make = &make_header_and_text_serializer;
  return SerializerFactory(make, std::move(settings));
}

}  // namespace standpipe
