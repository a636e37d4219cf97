#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "net/stream_buffer.h"
#include "standpipe/status.h"

namespace standpipe::thrift {

/// Finds Thrift's frames (a length of four bytes, then a message) in a stream. Belongs to one stream; one thread.
class FrameReader {
 public:
  /// What one scan() finds at most: a slab full of the smallest frames would otherwise be a list larger than itself.
  static constexpr std::size_t kFramesAtOnce = 64;

  /// A frame larger than `max_frame`, its length included, is refused.
  explicit FrameReader(std::size_t max_frame) : max_frame_(max_frame) {}

  /// Looks at what was read since the last call. Ok also when no frame is whole yet; Code::corrupt when these are no
  /// frames or one is too large: nothing can be read behind it. Frames that were found must be taken before the next.
  Status scan(StreamBuffer& buffer);
  /// Whether the last scan() stopped at kFramesAtOnce, so that there may be more without reading anything.
  bool more() const { return more_; }
  /// Whether scan() has found whole frames.
  bool found() const { return !frames_.empty(); }
  /// The whole frames, out of the buffer; the messages point into the part.
  StreamBuffer::Part take(StreamBuffer& buffer, std::vector<std::string_view>& messages);

 private:
  struct Frame {
    std::size_t begin;  // of the message, from the first unread byte
    std::size_t size;
  };
  const std::size_t max_frame_;
  std::vector<Frame> frames_;
  std::size_t complete_ = 0;  // bytes of the whole frames
  bool more_ = false;
};

inline constexpr std::size_t kFrameHead = 4;
void write_frame_head(char* target, std::uint32_t size);

}  // namespace standpipe::thrift
