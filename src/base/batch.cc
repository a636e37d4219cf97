#include "standpipe/batch.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory_resource>
#include <new>

#include "base/block_cache.h"
#include "base/check.h"
#include "base/failpoint.h"

namespace standpipe {

namespace {
// Copies (rewritten bodies, network bodies that arrived in pieces) gather in slabs of at least this size.
constexpr std::size_t kArenaBytes = 16 * 1024;

const Headers* empty_headers() {
  static const Headers& empty = *new Headers;  // outlives every batch
  return &empty;
}

/// Blocks of memory from the cache of slabs, each with its size in front.
class CachedBlocks final : public std::pmr::memory_resource {
 public:
  std::size_t bytes() const { return bytes_; }

 private:
  void* do_allocate(std::size_t bytes, std::size_t) override {
    BlockCache::Block block = BlockCache::take(bytes + kFront);
    const std::size_t size = block.get_deleter().size;
    bytes_ += size;
    char* begin = block.release();
    std::memcpy(begin, &size, sizeof size);
    return begin + kFront;
  }
  void do_deallocate(void* memory, std::size_t, std::size_t) override {
    char* begin = static_cast<char*>(memory) - kFront;
    std::size_t size = 0;
    std::memcpy(&size, begin, sizeof size);
    BlockCache::Release{size}(begin);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  static constexpr std::size_t kFront = alignof(std::max_align_t);
  std::size_t bytes_ = 0;  // nothing is given back before the end
};
}  // namespace

/// Header blocks made for one batch, names and values and all: nothing is freed one by one, so nothing is destroyed.
struct Batch::HeaderMemory {
  static constexpr std::size_t kFirst = 512;

  Headers* make(const Headers& from, std::size_t more) {
    return new (memory.allocate(sizeof(Headers), alignof(Headers))) Headers(from, more, &memory);
  }
  BudgetCharge charge;  // stays as long as any batch points in here
  CachedBlocks blocks;
  std::pmr::monotonic_buffer_resource memory{kFirst, &blocks};
};

bool MemoryBudget::try_charge(std::uint64_t bytes, Use use) {
  std::uint64_t limit = use == Use::intake ? intake_limit_ : limit_;
  if (FAILPOINT("budget.ignored")) limit = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t used = used_.load(std::memory_order_relaxed);
  do {
    if (bytes > limit || used > limit - bytes) return false;
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  return true;
}

Slab::Slab(std::size_t capacity, MemoryBudget* budget) : capacity_(capacity), budget_(budget) {
  BlockCache::Block block = BlockCache::take(capacity);
  block_size_ = block.get_deleter().size;
  data_ = block.release();
}

Slab::~Slab() {
  BlockCache::Release{block_size_}(data_);
  if (budget_ != nullptr) budget_->release(capacity_);
}

std::shared_ptr<Slab> Slab::make(std::size_t capacity, MemoryBudget* budget) {
  std::shared_ptr<Slab> slab(new Slab(capacity, budget));
  if (budget != nullptr) budget->force_charge(capacity);
  return slab;
}

std::shared_ptr<Slab> Slab::try_make(std::size_t capacity, MemoryBudget& budget, MemoryBudget::Use use) {
  if (!budget.try_charge(capacity, use)) return nullptr;
  return std::shared_ptr<Slab>(new Slab(capacity, &budget));
}

Batch::Batch() { blocks_.push_back(empty_headers()); }

void Batch::pin(std::shared_ptr<const Slab> slab) {
  if (!slabs_.empty() && slabs_.back() == slab) return;
  slabs_.push_back(std::move(slab));
}

Batch::Block Batch::add_headers(std::shared_ptr<const Headers> headers) {
  blocks_.push_back(headers.get());
  owners_.push_back(std::move(headers));
  return last_block();
}

Batch::Block Batch::add_headers(const Headers& headers) {
  blocks_.push_back(header_memory().make(headers, 0));
  return last_block();
}

Headers& Batch::add_block(Block from, std::size_t more) {
  Headers* made = header_memory().make(*blocks_[from], more);
  blocks_.push_back(made);
  return *made;
}

Batch::HeaderMemory& Batch::header_memory() {
  if (header_memory_ == nullptr) {
    header_memory_ = std::make_shared<HeaderMemory>();
    owners_.push_back(header_memory_);
  }
  return *header_memory_;
}

void Batch::add(std::string_view body, Block block) {
  CHECK(body.size() <= std::numeric_limits<std::uint32_t>::max());
  events_.push_back({body.data(), static_cast<std::uint32_t>(body.size()), block});
  body_bytes_ += body.size();
}

std::string_view Batch::copy_in(std::string_view body, MemoryBudget* budget) {
  if (arena_ == nullptr || arena_->capacity() - arena_used_ < body.size()) {
    // Doubling keeps the number of slabs of a growing batch small.
    const std::size_t grown = arena_ == nullptr ? kArenaBytes : std::min<std::size_t>(arena_->capacity() * 2, 1 << 20);
    arena_ = Slab::make(std::max(grown, body.size()), budget);
    arena_used_ = 0;
    slabs_.push_back(arena_);
  }
  char* target = arena_->data() + arena_used_;
  if (!body.empty()) std::memcpy(target, body.data(), body.size());
  arena_used_ += body.size();
  return {target, body.size()};
}

void Batch::add_copy(std::string_view body, Block block, MemoryBudget* budget) { add(copy_in(body, budget), block); }

Batch Batch::share() const {
  Batch result;
  result.events_ = events_;
  result.blocks_ = blocks_;
  result.owners_ = owners_;
  result.slabs_ = slabs_;  // the arena among them, but not as one to write to
  result.body_bytes_ = body_bytes_;
  return result;
}

Batch Batch::subset(const std::vector<std::size_t>& indices) const {
  Batch result;
  for (const std::size_t index : indices) result.body_bytes_ += events_[index].size;
  const bool copies = result.body_bytes_ * 2 < body_bytes_;
  if (!copies) result.owners_ = owners_;
  result.slabs_ = slabs_;
  result.events_.reserve(indices.size());
  std::vector<Block> moved(blocks_.size(), kNoHeaders);  // where a block of this batch is in the other
  for (const std::size_t index : indices) {
    const Event& event = events_[index];
    Block& block = moved[event.block];
    if (block == kNoHeaders && event.block != kNoHeaders) {
      if (copies) {
        block = result.add_headers(*blocks_[event.block]);
      } else {
        result.blocks_.push_back(blocks_[event.block]);
        block = result.last_block();
      }
    }
    result.events_.push_back({event.data, event.size, block});
  }
  if (copies) result.compact();
  if (charge_.budget() != nullptr) result.charge_to(*charge_.budget());
  return result;
}

std::size_t Batch::bytes() const { return bytes(0, events_.size()); }

std::size_t Batch::bytes(std::size_t first, std::size_t last) const {
  std::size_t total = 0;
  Block block = kNoHeaders;
  std::size_t header_bytes = 0;
  for (std::size_t i = first; i < last; ++i) {
    if (events_[i].block != block) {
      block = events_[i].block;
      header_bytes = blocks_[block]->bytes();
    }
    total += events_[i].size + header_bytes;
  }
  return total;
}

std::size_t Batch::own_bytes() const {
  constexpr std::size_t kAllocations = 6 * 2 * sizeof(void*);         // what malloc adds to each of ours
  constexpr std::size_t kInAChannel = 2 * 4 * sizeof(std::uint64_t);  // rows about the batch in a queue
  return sizeof(Batch) + kAllocations + kInAChannel + events_.capacity() * sizeof(Event) +
         blocks_.capacity() * sizeof(void*) + owners_.capacity() * sizeof(owners_[0]) +
         slabs_.capacity() * sizeof(slabs_[0]);
}

void Batch::charge_to(MemoryBudget& budget) {
  charge_ = BudgetCharge(budget, own_bytes());
  if (header_memory_ != nullptr) {
    header_memory_->charge = BudgetCharge(budget, sizeof(HeaderMemory) + header_memory_->blocks.bytes());
  }
}

void Batch::change_headers(const std::function<void(Headers&)>& change) {
  std::vector<bool> used(blocks_.size(), false);
  for (const Event& event : events_) used[event.block] = true;
  for (Block block = 0; block < used.size(); ++block) {
    if (!used[block]) continue;
    Headers* copy = header_memory().make(*blocks_[block], 1);
    change(*copy);
    if (block != kNoHeaders) {
      blocks_[block] = copy;
      continue;
    }
    // Block 0 stays the empty one: its events move to a block of their own.
    blocks_.push_back(copy);
    for (Event& event : events_) {
      if (event.block == kNoHeaders) event.block = last_block();
    }
  }
}

void Batch::set_body(std::size_t index, std::string_view body, MemoryBudget* budget) {
  Event& event = events_[index];
  const std::string_view copy = copy_in(body, budget);
  body_bytes_ += copy.size();
  body_bytes_ -= event.size;
  event.data = copy.data();
  event.size = static_cast<std::uint32_t>(copy.size());
}

void Batch::keep_if(const std::function<bool(std::size_t index)>& keep) {
  const std::size_t body_bytes_before = body_bytes_;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < events_.size(); ++i) {
    if (keep(i)) {
      events_[kept++] = events_[i];
    } else {
      body_bytes_ -= events_[i].size;
    }
  }
  events_.resize(kept);
  // A batch is often a part of its slab; what counts is how much of that part survived.
  if (body_bytes_ * 2 < body_bytes_before) compact();
}

void Batch::compact() {
  std::vector<std::shared_ptr<const Slab>> old = std::move(slabs_);
  slabs_.clear();
  arena_ = body_bytes_ == 0 ? nullptr : Slab::make(body_bytes_, old.empty() ? nullptr : old.front()->budget());
  arena_used_ = 0;
  if (arena_ == nullptr) return;
  slabs_.push_back(arena_);
  for (Event& event : events_) event.data = copy_in({event.data, event.size}, nullptr).data();
}

}  // namespace standpipe
