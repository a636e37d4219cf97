#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "base/byte_mask.h"
#include "standpipe/batch.h"
#include "standpipe/memory_budget.h"

namespace standpipe {

/// Calls `visit(begin, end)` for each line of `text` that ends in a line feed: text[begin, end) is the line without it.
/// Stops early when `visit` returns false. Returns the offset behind the last line feed that was visited.
/// The heart of every line source: two instructions a sixteen bytes, nothing per line but the call.
template <typename Visit>
std::size_t for_each_line(std::string_view text, Visit&& visit) {
  std::size_t begin = 0;
  std::size_t at = 0;
  for (; at + kMaskBytes <= text.size(); at += kMaskBytes) {
    for (std::uint64_t mask = byte_mask64(text.data() + at, '\n'); mask != 0; mask &= mask - 1) {
      const std::size_t feed = at + static_cast<std::size_t>(std::countr_zero(mask));
      const bool more = visit(begin, feed);
      begin = feed + 1;
      if (!more) return begin;
    }
  }
  while (at < text.size()) {
    const void* found = std::memchr(text.data() + at, '\n', text.size() - at);
    if (found == nullptr) break;
    const std::size_t feed = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
    const bool more = visit(begin, feed);
    begin = at = feed + 1;
    if (!more) break;
  }
  return begin;
}

/// `line` without one carriage return at its end.
inline std::string_view without_carriage_return(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// What a line is for one user of the splitter.
struct LineOptions {
  enum class Overlong : unsigned char {
    split,     ///< a longer line becomes several events: nothing is lost (Flume's LINE deserializer)
    truncate,  ///< the first max_length bytes are the event, the rest is dropped
  };
  bool strip_carriage_return = true;  ///< one CR right before the line feed goes
  std::size_t max_length = 0;         ///< bytes without the line end; 0: no limit
  Overlong overlong = Overlong::split;
};

/// Adds `line` (which lies in a slab that `batch` pins) as one event, or as several when it is longer than allowed.
/// Returns how many pieces were more than one: 0 for every usual line.
std::size_t add_line(Batch& batch, std::string_view line, Batch::Block block, const LineOptions& options);

/// Cuts a stream of bytes that arrives in pieces into lines, for sources that read a pipe or a socket. What is read
/// goes straight into a slab and stays there: bodies are slices of it. Only an unfinished last line is copied, when its
/// slab is full. A line above max_length is split or truncated while it arrives, so memory stays bounded by max_length
/// plus one slab. One thread at a time; `budget`, when given, outlives the splitter and its batches.
///
///   for (;;) {
///     std::span<char> room = splitter.space();
///     splitter.added(read(fd, room.data(), room.size()));
///     splitter.take(batch, block, 100);          // complete lines only
///   }
///   splitter.finish(batch, block);               // at the end: the last line without its feed
class LineSplitter {
 public:
  explicit LineSplitter(LineOptions options, MemoryBudget* budget = nullptr, std::size_t slab_bytes = 64 * 1024);

  /// Where the next bytes belong; never empty. Valid until the next call.
  std::span<char> space();
  /// `size` bytes were put into space().
  void added(std::size_t size) { filled_ += size; }
  /// Moves up to `max_events` complete lines into `batch`; returns how many events that made. Fewer than `max_events`:
  /// all complete lines are taken.
  std::size_t take(Batch& batch, Batch::Block block, std::size_t max_events);
  /// Moves what is left, a line that never saw its feed, into `batch`. Returns whether there was one.
  bool finish(Batch& batch, Batch::Block block);
  /// Bytes that wait for their line feed.
  std::size_t pending() const { return filled_ - taken_; }
  /// Lines so far that were longer than max_length.
  std::size_t overlong_lines() const { return overlong_lines_; }

 private:
  std::string_view waiting() const;
  void add(Batch& batch, std::string_view line, Batch::Block block);
  std::size_t take_overlong_piece(Batch& batch, Batch::Block block);

  const LineOptions options_;
  MemoryBudget* const budget_;
  const std::size_t slab_bytes_;
  std::shared_ptr<Slab> slab_;
  std::size_t taken_ = 0;    // bytes of the slab that went into batches
  std::size_t scanned_ = 0;  // bytes in which there is no line feed behind taken_
  std::size_t filled_ = 0;
  bool within_overlong_ = false;  // pieces of the line at taken_ went out already
  std::size_t overlong_lines_ = 0;
};

}  // namespace standpipe
