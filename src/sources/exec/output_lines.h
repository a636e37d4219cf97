#pragma once

#include <string_view>

#include "codec/text_decoder.h"
#include "net/stream_buffer.h"
#include "standpipe/batch.h"

namespace standpipe {

/// Cuts what a command prints into lines that end with LF, CR or CRLF, as java.io.BufferedReader does, and puts them
/// into batches. One thread.
class OutputLines {
 public:
  /// A line without end is cut at `max_line` bytes.
  OutputLines(MemoryBudget& budget, TextDecoder decoder, std::size_t max_line);

  /// Where to read into, and how much was read; see StreamBuffer.
  std::span<char> room() { return buffer_.room(); }
  void filled(std::size_t size);
  /// Adds the complete lines; at the end of the output also a last one without an end. Returns false when a line was
  /// cut because it was too long.
  bool take_into(Batch& batch, bool at_end);

 private:
  void split(const StreamBuffer::Part& part, Batch& batch);
  void add(std::string_view line, bool plain, Batch& batch);

  MemoryBudget& budget_;
  TextDecoder decoder_;
  const std::size_t max_line_;
  StreamBuffer buffer_;
  std::size_t scanned_ = 0;      // unread bytes that hold no line end
  bool skip_line_feed_ = false;  // the second half of a CRLF that was cut between two reads
};

}  // namespace standpipe
