#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "standpipe/batch.h"
#include "standpipe/memory_budget.h"

namespace standpipe {

/// Where a byte stream (a socket, a pipe) is read into, so that whole records can go into batches without a copy. Slabs
/// follow the stream: small for a trickle, up to `max_slab` for a flood. While nothing is buffered, nothing is held.
///
///   std::span<char> room = buffer.room();          // empty: the budget has none now
///   buffer.filled(read(fd, room));
///   StreamBuffer::Part part = buffer.take(size of the complete records in buffer.unread());
///   batch.pin(part.slab); … batch.add(a piece of part.bytes) …
///
/// One thread at a time; the budget must outlive the buffer and all that was taken.
class StreamBuffer {
 public:
  struct Part {
    std::shared_ptr<const Slab> slab;
    std::string_view bytes;  ///< lies in `slab`
  };

  explicit StreamBuffer(MemoryBudget& budget, std::size_t max_slab = 256 * 1024)
      : budget_(budget), max_slab_(max_slab) {}

  /// Where the next bytes go, directly behind the unread ones.
  std::span<char> room();
  void filled(std::size_t size);
  /// What was read and not yet taken.
  std::string_view unread() const;
  /// The same, for who rewrites it in place before it takes it.
  char* unread_data() { return slab_->data() + begin_; }
  /// The record in front is at least `size` bytes long, which the peer says: room() grows towards it, in steps that
  /// what has arrived pays for, so that a claim alone costs nothing. Forgotten by take().
  void expect(std::size_t size) { expected_ = size; }
  /// Takes the first `size` unread bytes. Few bytes of a large slab are copied out, so that they don't pin it.
  Part take(std::size_t size);
  /// Gives the memory back when nothing is unread.
  void release_if_empty();

 private:
  static constexpr std::size_t kMinSlab = 4 * 1024;
  std::size_t next_size() const;
  bool move_to_new_slab();

  MemoryBudget& budget_;
  const std::size_t max_slab_;
  std::shared_ptr<Slab> slab_;
  std::size_t begin_ = 0;  // of the unread bytes
  std::size_t end_ = 0;
  std::size_t shared_ = 0;  // below this, somebody else reads: never written again
  std::size_t wanted_ = kMinSlab;
  std::size_t expected_ = 0;
};

}  // namespace standpipe
