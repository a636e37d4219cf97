#include "rpc/thrift/event_encoder.h"

#include <cstring>
#include <string>

#include "base/check.h"
#include "rpc/thrift/event_fields.h"
#include "rpc/thrift/frame_reader.h"
#include "rpc/thrift/message.h"

namespace standpipe::thrift {

namespace {

/// Lengths and the bytes between them, by one protocol: what stands around the texts of an event.
struct Compact {
  static constexpr Protocol kProtocol = Protocol::compact;
  static constexpr std::string_view kBeforeHeaders{"\x1b", 1};  // field 1, a map
  static constexpr std::string_view kBeforeCount{"", 0};
  static constexpr std::string_view kBehindCount{"\x88", 1};  // of strings to strings; only where there are some
  static constexpr std::string_view kBeforeBody{"\x18", 1};   // field 2, a string

  static std::size_t size_of(std::size_t number) {
    std::size_t size = 1;
    for (; number >= 0x80; number >>= 7) ++size;
    return size;
  }
  static char* put(char* at, std::size_t number) {
    for (; number >= 0x80; number >>= 7) *at++ = static_cast<char>(number | 0x80);
    *at++ = static_cast<char>(number);
    return at;
  }
  static void put_list(std::string& out, std::size_t count) {
    if (count < 15) {
      out += static_cast<char>(count << 4 | 0x0c);
      return;
    }
    char size[10];
    out += '\xfc';
    out.append(size, static_cast<std::size_t>(put(size, count) - size));
  }
};

struct Binary {
  static constexpr Protocol kProtocol = Protocol::binary;
  static constexpr std::string_view kBeforeHeaders{"\x0d\0\1", 3};
  static constexpr std::string_view kBeforeCount{"\x0b\x0b", 2};
  static constexpr std::string_view kBehindCount{"", 0};
  static constexpr std::string_view kBeforeBody{"\x0b\0\2", 3};

  static std::size_t size_of(std::size_t) { return 4; }
  static char* put(char* at, std::size_t number) {
    write_frame_head(at, static_cast<std::uint32_t>(number));
    return at + 4;
  }
  static void put_list(std::string& out, std::size_t count) {
    char size[4];
    out += '\x0c';
    out.append(size, static_cast<std::size_t>(put(size, count) - size));
  }
};

template <typename Form>
std::size_t text_size(std::string_view text) {
  return Form::size_of(text.size()) + text.size();
}

template <typename Form>
std::size_t headers_size(const Headers& headers) {
  std::size_t size = Form::kBeforeHeaders.size() + Form::kBeforeCount.size() + Form::size_of(headers.size());
  if (!headers.empty()) size += Form::kBehindCount.size();
  for (const auto& [name, value] : headers) size += text_size<Form>(name) + text_size<Form>(value);
  return size;
}

/// Of an event, less its headers: the body and the structure's end.
template <typename Form>
std::size_t body_size(std::string_view body) {
  return Form::kBeforeBody.size() + text_size<Form>(body) + 1;
}

/// Writes into memory that is large enough.
template <typename Form>
class Writer {
 public:
  explicit Writer(char* at) : at_(at) {}
  char* at() const { return at_; }

  void raw(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  void headers(const Headers& headers) {
    raw(Form::kBeforeHeaders);
    raw(Form::kBeforeCount);
    at_ = Form::put(at_, headers.size());
    if (!headers.empty()) raw(Form::kBehindCount);
    for (const auto& [name, value] : headers) {
      text(name);
      text(value);
    }
  }
  void body(std::string_view body) {
    raw(Form::kBeforeBody);
    text(body);
    stop();
  }
  void stop() { *at_++ = '\0'; }

 private:
  void text(std::string_view text) {
    at_ = Form::put(at_, text.size());
    raw(text);
  }
  char* at_;
};

/// The call up to its first event.
template <typename Form>
std::string call_of(std::int32_t serial, std::size_t events) {
  std::string call;
  put_message(call, Form::kProtocol, {kAppendBatch, MessageType::call, serial});
  put_field(call, Form::kProtocol, 0, kEventsArgument);
  Form::put_list(call, events);
  return call;
}

constexpr std::size_t kLongestCall = 64;  // with any serial and any count, and the stop behind the events

template <typename Form>
RequestExtent measure(const Lease& lease, std::size_t max_bytes) {
  RequestExtent extent{.events = 0, .bytes = kFrameHead + kLongestCall};
  std::size_t headers = 0;
  rpc::for_each_event(lease, lease.size(), [&](const EventRef& event, bool same_headers) {
    if (!same_headers) headers = headers_size<Form>(*event.headers);
    const std::size_t more = headers + body_size<Form>(event.body);
    if (extent.events > 0 && extent.bytes + more > max_bytes) return false;
    ++extent.events;
    extent.bytes += more;
    return true;
  });
  return extent;
}

/// Returns the end of what it wrote.
template <typename Form>
char* encode(const Lease& lease, std::size_t events, std::int32_t serial, char* target) {
  Writer<Form> writer(target + kFrameHead);
  writer.raw(call_of<Form>(serial, events));
  std::string_view encoded;  // the headers of the event before, as they were written
  rpc::for_each_event(lease, events, [&](const EventRef& event, bool same_headers) {
    if (same_headers) {
      writer.raw(encoded);
    } else {
      const char* begin = writer.at();
      writer.headers(*event.headers);
      encoded = {begin, static_cast<std::size_t>(writer.at() - begin)};
    }
    writer.body(event.body);
    return true;
  });
  writer.stop();
  write_frame_head(target, static_cast<std::uint32_t>(writer.at() - target - kFrameHead));
  return writer.at();
}

}  // namespace

RequestExtent measure_batch(const Lease& lease, Protocol protocol, std::size_t max_bytes) {
  return protocol == Protocol::compact ? measure<Compact>(lease, max_bytes) : measure<Binary>(lease, max_bytes);
}

EncodedRequest encode_batch(const Lease& lease, Protocol protocol, const RequestExtent& extent, std::int32_t serial,
                            MemoryBudget& budget, bool force) {
  auto slab =
      force ? Slab::make(extent.bytes, &budget) : Slab::try_make(extent.bytes, budget, MemoryBudget::Use::drain);
  if (slab == nullptr) return {};
  char* const begin = slab->data();
  const char* const end = protocol == Protocol::compact ? encode<Compact>(lease, extent.events, serial, begin)
                                                        : encode<Binary>(lease, extent.events, serial, begin);
  const auto size = static_cast<std::size_t>(end - begin);
  CHECK(size <= extent.bytes);
  return {std::move(slab), {begin, size}};
}

}  // namespace standpipe::thrift
