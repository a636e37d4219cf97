#include "rpc/thrift/frame_reader.h"

#include <fmt/format.h>

namespace standpipe::thrift {

namespace {

std::size_t read_word(const char* from) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(from);
  return std::size_t{bytes[0]} << 24 | std::size_t{bytes[1]} << 16 | std::size_t{bytes[2]} << 8 | bytes[3];
}

}  // namespace

Status FrameReader::scan(StreamBuffer& buffer) {
  const std::string_view unread = buffer.unread();
  for (;;) {
    more_ = frames_.size() == kFramesAtOnce;
    if (more_ || unread.size() < complete_ + kFrameHead) return {};
    const std::size_t size = read_word(unread.data() + complete_);
    if (size == 0) return {Code::corrupt, "a Thrift frame without a message"};
    if (kFrameHead + size > max_frame_) {
      return {Code::corrupt, fmt::format("a Thrift frame of {} bytes; the limit is {}", kFrameHead + size, max_frame_)};
    }
    const std::size_t end = complete_ + kFrameHead + size;
    buffer.expect(end);
    if (unread.size() < end) return {};
    frames_.push_back({complete_ + kFrameHead, size});
    complete_ = end;
  }
}

StreamBuffer::Part FrameReader::take(StreamBuffer& buffer, std::vector<std::string_view>& messages) {
  const std::size_t expected =
      buffer.unread().size() < complete_ + kFrameHead ? 0 : kFrameHead + read_word(buffer.unread().data() + complete_);
  StreamBuffer::Part part = buffer.take(complete_);
  messages.clear();
  for (const Frame& frame : frames_) messages.push_back(part.bytes.substr(frame.begin, frame.size));
  complete_ = 0;
  frames_.clear();
  // take() forgets it; a length that was refused is expected by nobody.
  if (expected <= max_frame_) buffer.expect(expected);
  return part;
}

void write_frame_head(char* target, std::uint32_t size) {
  for (int i = 0; i < 4; ++i) target[i] = static_cast<char>(size >> (24 - 8 * i));
}

}  // namespace standpipe::thrift
