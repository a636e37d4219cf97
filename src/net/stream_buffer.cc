#include "net/stream_buffer.h"

#include <algorithm>
#include <cstring>

namespace standpipe {

std::span<char> StreamBuffer::room() {
  const std::size_t left = slab_ == nullptr ? 0 : slab_->capacity() - end_;
  const std::size_t most = end_ - begin_ + left;
  const bool outgrown = expected_ > most && next_size() >= 2 * most;
  if (outgrown || left < kMinSlab / 4 || (shared_ > 0 && left < wanted_ / 2)) {
    if (!move_to_new_slab()) return {};
  }
  return {slab_->data() + end_, slab_->capacity() - end_};
}

std::size_t StreamBuffer::next_size() const {
  // At least as much room as is carried over, so that a long record costs a constant number of copies a byte.
  const std::size_t size = std::max(wanted_, unread().size() * 2 + kMinSlab);
  return expected_ > size ? std::min(expected_, size * 4) : size;
}

bool StreamBuffer::move_to_new_slab() {
  const std::string_view rest = unread();
  auto slab = Slab::try_make(next_size(), budget_, MemoryBudget::Use::intake);
  if (slab == nullptr) return false;
  if (!rest.empty()) std::memcpy(slab->data(), rest.data(), rest.size());
  slab_ = std::move(slab);
  begin_ = shared_ = 0;
  end_ = rest.size();
  return true;
}

void StreamBuffer::filled(std::size_t size) {
  const std::size_t room = slab_->capacity() - end_;
  end_ += size;
  if (size == room) {
    wanted_ = std::min(wanted_ * 2, max_slab_);
  } else if (size < wanted_ / 8) {
    wanted_ = std::max(wanted_ / 2, kMinSlab);
  }
}

std::string_view StreamBuffer::unread() const {
  if (slab_ == nullptr) return {};
  return {slab_->data() + begin_, end_ - begin_};
}

StreamBuffer::Part StreamBuffer::take(std::size_t size) {
  const std::string_view bytes = unread().substr(0, size);
  begin_ += size;
  expected_ = 0;
  if (bytes.size() * 2 >= slab_->capacity()) {
    shared_ = begin_;
    return {slab_, bytes};
  }
  const auto copy = Slab::make(bytes.size(), &budget_);
  if (!bytes.empty()) std::memcpy(copy->data(), bytes.data(), bytes.size());
  if (begin_ == end_) begin_ = end_ = shared_;
  return {copy, {copy->data(), bytes.size()}};
}

void StreamBuffer::release_if_empty() {
  if (begin_ != end_) return;
  slab_ = nullptr;
  begin_ = end_ = shared_ = 0;
}

}  // namespace standpipe
