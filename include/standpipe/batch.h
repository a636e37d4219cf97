#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "standpipe/headers.h"
#include "standpipe/memory_budget.h"

namespace standpipe {

/// A block of memory that many event bodies point into: one read() fills one slab. Filled by its maker, then shared and
/// never changed again. Its whole capacity is charged to the budget for as long as anything points into it, so what a
/// small body pins is what is counted. The budget, when given, must outlive the slab.
class Slab {
 public:
  /// Charges even beyond the limit: who can wait asks MemoryBudget::try_charge for room first (see Slab::try_make).
  static std::shared_ptr<Slab> make(std::size_t capacity, MemoryBudget* budget = nullptr);
  /// Null when the budget has no room for it.
  static std::shared_ptr<Slab> try_make(std::size_t capacity, MemoryBudget& budget, MemoryBudget::Use use);

  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab();

  char* data() { return data_; }
  const char* data() const { return data_; }
  std::size_t capacity() const { return capacity_; }
  MemoryBudget* budget() const { return budget_; }

 private:
  Slab(std::size_t capacity, MemoryBudget* budget);
  char* data_;
  std::size_t block_size_;  // what lies at data_: at least the capacity
  std::size_t capacity_;
  MemoryBudget* budget_;
};

/// One event as seen in a batch or lease: valid for as long as the batch (or lease) it came from.
/// Two events of one batch with the same `headers` address have equal headers; a bucketing sink compares addresses.
struct EventRef {
  std::string_view body;
  const Headers* headers;
};

/// The unit of everything: a row of events whose bodies point into slabs and whose headers are shared blocks.
/// A source builds one, interceptors change it in place, then it is frozen (BatchPtr) and shared by channels without a
/// copy. Bodies are at most 4 GiB - 1. Not thread-safe while it is being built; a frozen one may be read by any thread.
///
///   Batch batch;
///   batch.pin(slab);
///   auto block = batch.add_headers(headers_of_this_file);   // once a file, not once an event
///   for (line : lines) batch.add(line, block);              // `line` lies in the slab: nothing is copied
class Batch {
 public:
  using Block = std::uint32_t;            ///< index of a header block of this batch
  static constexpr Block kNoHeaders = 0;  ///< the empty block, there from the start

  Batch();
  Batch(Batch&&) noexcept = default;
  Batch& operator=(Batch&&) noexcept = default;

  // -- building ------------------------------------------------------------------------------------------------------
  void reserve(std::size_t events) { events_.reserve(events); }
  /// Keeps `slab` alive for as long as the batch; pinning the same slab twice in a row costs nothing.
  void pin(std::shared_ptr<const Slab> slab);
  Block add_headers(std::shared_ptr<const Headers> headers);
  Block add_headers(const Headers& headers);
  /// A new last block that starts as a copy of `from` with room for `more` headers, to be changed before the batch is
  /// handed over. Cheaper than add_headers where there are many: they share one piece of memory.
  Headers& add_block(Block from, std::size_t more);
  /// `body` must lie in a pinned slab (or in memory that outlives the batch).
  void add(std::string_view body, Block block = kNoHeaders);
  /// Copies `body` into memory of the batch's own, charged to `budget` when one is given.
  void add_copy(std::string_view body, Block block = kNoHeaders, MemoryBudget* budget = nullptr);
  /// Charges what the batch takes beside its slabs (its rows and the headers made in it) for as long as it lives; its
  /// subsets are charged to the same budget. Once, when nothing will be added any more.
  void charge_to(MemoryBudget& budget);
  /// The same events once more, for a source that may have to deliver them again; bodies, headers and slabs are shared.
  Batch share() const;
  /// The events at `indices` (ascending) as a batch of its own. Bodies, headers and slabs are shared; less than half of
  /// the bytes is copied instead, so that a few events do not keep all the others' memory.
  Batch subset(const std::vector<std::size_t>& indices) const;

  // -- reading -------------------------------------------------------------------------------------------------------
  bool empty() const { return events_.empty(); }
  std::size_t size() const { return events_.size(); }
  EventRef operator[](std::size_t index) const {
    const Event& event = events_[index];
    return {std::string_view(event.data, event.size), blocks_[event.block]};
  }
  /// Bytes of all bodies.
  std::size_t body_bytes() const { return body_bytes_; }
  /// Bytes of bodies and of each event's headers: what byteCapacity counts.
  std::size_t bytes() const;
  /// Bytes of the events [first, last).
  std::size_t bytes(std::size_t first, std::size_t last) const;
  Block block_of(std::size_t index) const { return events_[index].block; }
  std::size_t block_count() const { return blocks_.size(); }
  Block last_block() const { return static_cast<Block>(blocks_.size() - 1); }
  const Headers& block(Block block) const { return *blocks_[block]; }

  // -- changing (interceptors) ---------------------------------------------------------------------------------------
  /// Runs `change` once per header block that events use, on a copy where the block is shared with another batch.
  void change_headers(const std::function<void(Headers&)>& change);
  /// Gives event `index` another block of this batch.
  void set_block(std::size_t index, Block block) { events_[index].block = block; }
  /// Replaces a body by a copy of `body`.
  void set_body(std::size_t index, std::string_view body, MemoryBudget* budget = nullptr);
  /// Drops the events for which `keep` says false, in order; bodies of the survivors are copied out when they use less
  /// than half of what they pin.
  void keep_if(const std::function<bool(std::size_t index)>& keep);

 private:
  struct Event {
    const char* data;
    std::uint32_t size;
    Block block;
  };

  struct HeaderMemory;

  HeaderMemory& header_memory();
  std::string_view copy_in(std::string_view body, MemoryBudget* budget);
  void compact();
  std::size_t own_bytes() const;

  std::vector<Event> events_;
  std::vector<const Headers*> blocks_;
  std::vector<std::shared_ptr<const void>> owners_;  // of blocks_: an atomic count a batch, not one a block
  std::shared_ptr<HeaderMemory> header_memory_;      // where new blocks go; also in owners_
  std::vector<std::shared_ptr<const Slab>> slabs_;
  std::shared_ptr<Slab> arena_;  // the slab that copies go to; also in slabs_
  std::size_t arena_used_ = 0;
  std::size_t body_bytes_ = 0;
  BudgetCharge charge_;
};

using BatchPtr = std::shared_ptr<const Batch>;

}  // namespace standpipe
