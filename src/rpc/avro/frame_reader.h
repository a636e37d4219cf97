#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/stream_buffer.h"
#include "standpipe/status.h"

namespace standpipe::avro {

/// One message as it travels: the serial that ties an answer to its request, and the bytes of all its buffers in a row.
struct Message {
  std::int32_t serial = 0;
  std::string_view bytes;
};

/// Finds Avro's frames ("NettyDataPack": serial, number of buffers, then each buffer with its length) in a stream. The
/// buffers of a frame are pushed together where they lie, so a message is one piece of the slab that it was read into.
/// Belongs to one stream; one thread.
class FrameReader {
 public:
  /// What one scan() finds at most: a slab full of the smallest frames would otherwise be a list larger than itself.
  static constexpr std::size_t kFramesAtOnce = 64;

  /// A frame larger than `max_frame`, its lengths included, is refused.
  explicit FrameReader(std::size_t max_frame) : max_frame_(max_frame) {}

  /// Looks at what was read since the last call. Ok also when no frame is whole yet; Code::corrupt when these are no
  /// frames or one is too large: nothing can be read behind it. Frames that were found must be taken before the next.
  Status scan(StreamBuffer& buffer);
  /// Whether the last scan() stopped at kFramesAtOnce, so that there may be more without reading anything.
  bool more() const { return more_; }
  /// Whether scan() has found whole frames.
  bool found() const { return !frames_.empty(); }
  /// The whole frames, out of the buffer; the messages point into the part.
  StreamBuffer::Part take(StreamBuffer& buffer, std::vector<Message>& messages);

 private:
  struct Frame {
    std::int32_t serial;
    std::size_t begin;  // of the message, from the first unread byte
    std::size_t size;
  };

  Status begin_frame(std::string_view unread);
  void finish_frame(char* unread);
  Status too_large(std::uint64_t claimed) const;

  const std::size_t max_frame_;
  std::vector<Frame> frames_;
  std::size_t complete_ = 0;  // bytes of the whole frames
  bool more_ = false;
  // of the frame behind them
  bool begun_ = false;
  std::int32_t serial_ = 0;
  std::uint32_t buffers_ = 0;
  std::uint32_t seen_ = 0;  // buffers whose length is known
  std::size_t next_ = 0;    // where the next length stands, or the frame ends
};

/// The head of a frame with one buffer of `size` bytes.
inline constexpr std::size_t kFrameHead = 12;
void write_frame_head(char* target, std::int32_t serial, std::uint32_t size);
/// A whole frame around a short message.
std::string framed(std::int32_t serial, std::string_view message);

}  // namespace standpipe::avro
