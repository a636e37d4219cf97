#include "rpc/avro/frame_reader.h"

#include <cstring>

#include <fmt/format.h>

namespace standpipe::avro {

namespace {

constexpr std::size_t kWord = 4;
constexpr std::size_t kStart = 2 * kWord;  // serial and number of buffers

std::uint32_t read_word(const char* from) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(from);
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

void write_word(char* target, std::uint32_t word) {
  for (int i = 0; i < 4; ++i) target[i] = static_cast<char>(word >> (24 - 8 * i));
}

}  // namespace

Status FrameReader::scan(StreamBuffer& buffer) {
  const std::string_view unread = buffer.unread();
  more_ = false;
  for (;;) {
    if (!begun_) {
      more_ = frames_.size() == kFramesAtOnce;
      if (more_) return {};
      if (unread.size() < complete_ + kStart) return {};
      TRY(begin_frame(unread));
    }
    while (seen_ < buffers_) {
      // Each buffer that is still to come has at least its length.
      const std::size_t least = next_ + (buffers_ - seen_) * kWord;
      if (least - complete_ > max_frame_) return too_large(least - complete_);
      buffer.expect(least);
      if (unread.size() < next_ + kWord) return {};
      next_ += kWord + read_word(unread.data() + next_);
      ++seen_;
    }
    if (next_ - complete_ > max_frame_) return too_large(next_ - complete_);
    buffer.expect(next_);
    if (unread.size() < next_) return {};
    finish_frame(buffer.unread_data());
  }
}

Status FrameReader::begin_frame(std::string_view unread) {
  serial_ = static_cast<std::int32_t>(read_word(unread.data() + complete_));
  buffers_ = read_word(unread.data() + complete_ + kWord);
  // Flume's own reader would wait for ever behind a list of no buffers.
  if (buffers_ == 0) return {Code::corrupt, "an Avro frame without a buffer"};
  begun_ = true;
  seen_ = 0;
  next_ = complete_ + kStart;
  return {};
}

/// Moves the buffers of the frame that ends at next_ together, over the lengths between them.
void FrameReader::finish_frame(char* unread) {
  const std::size_t begin = complete_ + kStart + kWord;  // the first buffer stays
  std::size_t from = complete_ + kStart;
  std::size_t end = begin;
  for (std::uint32_t i = 0; i < buffers_; ++i) {
    const std::size_t size = read_word(unread + from);
    from += kWord;
    if (from != end) std::memmove(unread + end, unread + from, size);
    from += size;
    end += size;
  }
  frames_.push_back({serial_, begin, end - begin});
  complete_ = next_;
  begun_ = false;
}

StreamBuffer::Part FrameReader::take(StreamBuffer& buffer, std::vector<Message>& messages) {
  StreamBuffer::Part part = buffer.take(complete_);
  messages.clear();
  for (const Frame& frame : frames_) messages.push_back({frame.serial, part.bytes.substr(frame.begin, frame.size)});
  next_ -= complete_;
  complete_ = 0;
  frames_.clear();
  if (begun_) buffer.expect(next_);
  return part;
}

Status FrameReader::too_large(std::uint64_t claimed) const {
  return {Code::corrupt, fmt::format("an Avro frame of {} bytes or more; the limit is {}", claimed, max_frame_)};
}

void write_frame_head(char* target, std::int32_t serial, std::uint32_t size) {
  write_word(target, static_cast<std::uint32_t>(serial));
  write_word(target + kWord, 1);
  write_word(target + 2 * kWord, size);
}

std::string framed(std::int32_t serial, std::string_view message) {
  std::string frame(kFrameHead + message.size(), '\0');
  write_frame_head(frame.data(), serial, static_cast<std::uint32_t>(message.size()));
  if (!message.empty()) std::memcpy(frame.data() + kFrameHead, message.data(), message.size());
  return frame;
}

}  // namespace standpipe::avro
