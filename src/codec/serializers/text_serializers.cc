#include "codec/serializers/text_serializers.h"

#include <algorithm>
#include <vector>

namespace standpipe {

namespace {

constexpr Option kTextOptions[] = {
    {.name = "appendNewline", .kind = Kind::boolean, .fallback = "true", .help = "end each event with a newline"},
};
constexpr std::string_view kTextClasses[] = {"org.apache.flume.serialization.BodyTextEventSerializer$Builder"};
constexpr std::string_view kHeaderAndTextClasses[] = {
    "org.apache.flume.serialization.HeaderAndBodyTextEventSerializer$Builder"};

class TextSerializer final : public EventSerializer {
 public:
  explicit TextSerializer(bool append_newline) : append_newline_(append_newline) {}

  Status append(const EventRef& event, std::string& out) override {
    out.append(event.body);
    if (append_newline_) out.push_back('\n');
    return {};
  }
  std::optional<std::string_view> plain_ending() const override { return append_newline_ ? "\n" : ""; }
  bool line_oriented() const override { return append_newline_; }

 private:
  const bool append_newline_;
};

class HeaderAndTextSerializer final : public EventSerializer {
 public:
  explicit HeaderAndTextSerializer(bool append_newline) : append_newline_(append_newline) {}

  Status append(const EventRef& event, std::string& out) override {
    append_java_map(*event.headers, out);
    out.push_back(' ');
    out.append(event.body);
    if (append_newline_) out.push_back('\n');
    return {};
  }
  bool line_oriented() const override { return append_newline_; }

 private:
  const bool append_newline_;
};

/// String.hashCode over the UTF-16 form, spread as HashMap does. Bytes that are no UTF-8 count one unit each.
std::uint32_t java_hash(std::string_view text) {
  std::uint32_t hash = 0;
  const auto add = [&](std::uint32_t unit) { hash = hash * 31 + unit; };
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (length == 1 || i + length > text.size()) {
      add(lead);
      ++i;
      continue;
    }
    std::uint32_t point = lead & (0x7Fu >> length);
    for (std::size_t k = 1; k < length; ++k) point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3Fu);
    if (point >= 0x10000) {
      add(0xD800 + ((point - 0x10000) >> 10));
      add(0xDC00 + ((point - 0x10000) & 0x3FF));
    } else {
      add(point);
    }
    i += length;
  }
  return hash ^ hash >> 16;
}

}  // namespace

const ComponentInfo kTextSerializer{.kind = ComponentKind::serializer,
                                    .name = "text",
                                    .class_names = kTextClasses,
                                    .summary = "The body of each event, one line each.",
                                    .options = kTextOptions};

const ComponentInfo kHeaderAndTextSerializer{.kind = ComponentKind::serializer,
                                             .name = "header_and_text",
                                             .class_names = kHeaderAndTextClasses,
                                             .summary = "Headers in braces, a blank, and the body, one line each.",
                                             .options = kTextOptions};

void append_java_map(const Headers& headers, std::string& out) {
  // HashMap walks its table from slot 0; the table doubles at three quarters. Within a slot: insertion order, which is
  // not known any more, so by name.
  std::size_t slots = 16;
  while (headers.size() * 4 > slots * 3) slots *= 2;
  std::vector<std::pair<std::size_t, const Headers::Entry*>> order;
  order.reserve(headers.size());
  for (const Headers::Entry& entry : headers) order.emplace_back(java_hash(entry.first) & (slots - 1), &entry);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  out.push_back('{');
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i > 0) out.append(", ");
    out.append(order[i].second->first).append("=").append(order[i].second->second);
  }
  out.push_back('}');
}

std::unique_ptr<EventSerializer> make_text_serializer(const Settings& settings) {
  return std::make_unique<TextSerializer>(settings.boolean("appendNewline"));
}

std::unique_ptr<EventSerializer> make_header_and_text_serializer(const Settings& settings) {
  return std::make_unique<HeaderAndTextSerializer>(settings.boolean("appendNewline"));
}

}  // namespace standpipe
