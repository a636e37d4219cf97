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

/// Visits every event once; events in a row with the same block of headers say so.
template <typename Visit>
void for_each_event(const Lease& lease, Visit&& visit) {
  const Headers* last = nullptr;
  for (const BatchSpan& span : lease.spans()) {
    for (std::size_t i = span.first; i < span.first + span.count; ++i) {
      const EventRef event = (*span.batch)[i];
      visit(event, event.headers == last);
      last = event.headers;
    }
  }
}

}  // namespace

std::size_t request_bytes(const Lease& lease) {
  std::size_t size = kFrameHead + call_of_append_batch().size() + long_size(lease.size()) + 1;
  std::size_t headers = 0;
  for_each_event(lease, [&](const EventRef& event, bool same_headers) {
    if (!same_headers) headers = headers_size(*event.headers);
    size += headers + bytes_size(event.body);
  });
  return size;
}

EncodedRequest encode_batch(const Lease& lease, std::int32_t serial, std::string_view front, MemoryBudget& budget,
                            bool force) {
  const std::size_t size = request_bytes(lease) + front.size();
  auto slab = force ? Slab::make(size, &budget) : Slab::try_make(size, budget, MemoryBudget::Use::drain);
  if (slab == nullptr) return {};
  write_frame_head(slab->data(), serial, static_cast<std::uint32_t>(size - kFrameHead));
  Writer writer(slab->data() + kFrameHead);
  writer.raw(front);
  writer.raw(call_of_append_batch());
  writer.number(lease.size());
  std::string_view encoded;  // the headers of the event before, as they were written
  for_each_event(lease, [&](const EventRef& event, bool same_headers) {
    if (same_headers) {
      writer.raw(encoded);
    } else {
      const char* begin = writer.at();
      writer.headers(*event.headers);
      encoded = {begin, static_cast<std::size_t>(writer.at() - begin)};
    }
    writer.bytes(event.body);
  });
  writer.number(0);
  CHECK(writer.at() == slab->data() + size);
  const std::string_view bytes(slab->data(), size);
  return {std::move(slab), bytes};
}

}  // namespace standpipe::avro
