#include "sinks/logger/event_text.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace standpipe {

namespace {

constexpr std::size_t kRow = 16;

/// The next code point of UTF-8 text, as lenient as Java's decoder: damage counts as U+FFFD.
std::uint32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC2 ? 1 : 0;
  if (more == 0 || lead > 0xF4) return 0xFFFD;
  std::uint32_t point = lead & (0x3Fu >> more);
  for (int i = 0; i < more; ++i) {
    if (at == text.size() || (static_cast<unsigned char>(text[at]) & 0xC0u) != 0x80u) return 0xFFFD;
    point = point << 6 | (static_cast<unsigned char>(text[at++]) & 0x3Fu);
  }
  return point;
}

/// java.lang.String.hashCode: over UTF-16 units.
std::uint32_t java_hash(std::string_view text) {
  std::uint32_t hash = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::uint32_t point = next_code_point(text, at);
    if (point >= 0x10000) {
      point -= 0x10000;
      hash = hash * 31 + (0xD800 + (point >> 10));
      point = 0xDC00 + (point & 0x3FF);
    }
    hash = hash * 31 + point;
  }
  return hash;
}

/// HashMap doubles its table when it is more than three quarters full; it starts with 16 buckets.
std::uint32_t table_size(std::size_t entries) {
  std::uint32_t size = 16;
  while (entries > size / 4 * 3) size *= 2;
  return size;
}

void append_headers(const Headers& headers, std::string& text) {
  struct Placed {
    std::uint32_t bucket;
    const Headers::Entry* entry;
  };
  const std::uint32_t mask = table_size(headers.size()) - 1;
  std::vector<Placed> order;
  for (const Headers::Entry& entry : headers) {
    const std::uint32_t hash = java_hash(entry.first);
    order.push_back({(hash ^ hash >> 16) & mask, &entry});
  }
  // Within a bucket Java lists in order of insertion, which is not known here: by name.
  std::stable_sort(order.begin(), order.end(), [](const Placed& a, const Placed& b) { return a.bucket < b.bucket; });
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i > 0) text += ", ";
    text.append(order[i].entry->first).append("=").append(order[i].entry->second);
  }
}

void append_row(std::string_view row, std::string& text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : row) {
    const auto byte = static_cast<unsigned char>(c);
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
    text.push_back(' ');
  }
  text.append((kRow - row.size()) * 3, ' ');
  for (const char c : row) text.push_back(c >= ' ' && c <= '~' ? c : '.');
}

}  // namespace

std::vector<std::string> event_lines(const EventRef& event, std::size_t max_bytes) {
  std::vector<std::string> lines(1, "{ headers:{");
  append_headers(*event.headers, lines.front());
  lines.front() += "} body:";
  const std::string_view body = event.body.substr(0, max_bytes);
  for (std::size_t at = 0; at < body.size(); at += kRow) {
    // The first row has no offset, only the blank behind it.
    if (at > 0) lines.push_back(fmt::format("{:08X}", at));
    lines.back().push_back(' ');
    append_row(body.substr(at, kRow), lines.back());
  }
  lines.back() += " }";
  return lines;
}

}  // namespace standpipe
