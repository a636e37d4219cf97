#include "rpc/avro/event_encoder.h"

#include <cstring>
#include <string>

#include "base/check.h"
#include "rpc/avro/frame_reader.h"
#include "rpc/avro/message.h"

namespace standpipe::avro {

namespace {

std::size_t long_size(std::uint64_t value) {
  std::size_t size = 1;
  for (std::uint64_t rest = value << 1; rest >= 0x80; rest >>= 7) ++size;
  return size;
}

std::size_t bytes_size(std::string_view bytes) { return long_size(bytes.size()) + bytes.size(); }

std::size_t headers_size(const Headers& headers) {
  std::size_t size = headers.empty() ? 1 : 1 + long_size(headers.size());
  for (const auto& [name, value] : headers) size += bytes_size(name) + bytes_size(value);
  return size;
}

/// Writes into memory that is large enough.
class Writer {
 public:
  explicit Writer(char* at) : at_(at) {}
  char* at() const { return at_; }

  void raw(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  void number(std::uint64_t value) {
    std::uint64_t rest = value << 1;  // zigzag of what is never negative
    for (; rest >= 0x80; rest >>= 7) *at_++ = static_cast<char>(rest | 0x80);
    *at_++ = static_cast<char>(rest);
  }
  void bytes(std::string_view bytes) {
    number(bytes.size());
    raw(bytes);
  }
  void headers(const Headers& headers) {
    if (!headers.empty()) number(headers.size());
    for (const auto& [name, value] : headers) {
      bytes(name);
      bytes(value);
    }
    number(0);
  }

 private:
  char* at_;
};

const std::string& call_of_append_batch() {
  static const std::string& call = *new std::string([] {
    std::string text;
    put_call(text, "appendBatch");
    return text;
  }());
  return call;
}

}  // namespace

RequestExtent measure_batch(const Lease& lease, std::size_t max_bytes) {
  return measure_events(lease, call_of_append_batch(), max_bytes);
}

EncodedRequest encode_batch(const Lease& lease, const RequestExtent& extent, std::int32_t serial, MemoryBudget& budget,
                            bool force) {
  return encode_events(lease, extent, call_of_append_batch(), serial, budget, force);
}

RequestExtent measure_events(const Lease& lease, std::string_view front, std::size_t max_bytes) {
  constexpr std::size_t kLongestCount = 10;
  const std::size_t frame = kFrameHead + front.size() + 1;
  RequestExtent extent;
  std::size_t headers = 0;
  rpc::for_each_event(lease, lease.size(), [&](const EventRef& event, bool same_headers) {
    if (!same_headers) headers = headers_size(*event.headers);
    const std::size_t more = headers + bytes_size(event.body);
    if (extent.events > 0 && frame + kLongestCount + extent.bytes + more > max_bytes) return false;
    ++extent.events;
    extent.bytes += more;
    return true;
  });
  extent.bytes += frame + long_size(extent.events);
  return extent;
}

EncodedRequest encode_events(const Lease& lease, const RequestExtent& extent, std::string_view front,
                             std::int32_t serial, MemoryBudget& budget, bool force) {
  auto slab =
      force ? Slab::make(extent.bytes, &budget) : Slab::try_make(extent.bytes, budget, MemoryBudget::Use::drain);
  if (slab == nullptr) return {};
  write_frame_head(slab->data(), serial, static_cast<std::uint32_t>(extent.bytes - kFrameHead));
  Writer writer(slab->data() + kFrameHead);
  writer.raw(front);
  writer.number(extent.events);
  std::string_view encoded;  // the headers of the event before, as they were written
  rpc::for_each_event(lease, extent.events, [&](const EventRef& event, bool same_headers) {
    if (same_headers) {
      writer.raw(encoded);
    } else {
      const char* begin = writer.at();
      writer.headers(*event.headers);
      encoded = {begin, static_cast<std::size_t>(writer.at() - begin)};
    }
    writer.bytes(event.body);
    return true;
  });
  writer.number(0);
  CHECK(writer.at() == slab->data() + extent.bytes);
  const std::string_view bytes(slab->data(), extent.bytes);
  return {std::move(slab), bytes};
}

}  // namespace standpipe::avro
