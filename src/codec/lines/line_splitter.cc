#include "codec/lines/line_splitter.h"

#include <algorithm>

namespace standpipe {

std::size_t add_line(Batch& batch, std::string_view line, Batch::Block block, const LineOptions& options) {
  if (options.max_length == 0 || line.size() <= options.max_length) [[likely]] {
    batch.add(line, block);
    return 0;
  }
  batch.add(line.substr(0, options.max_length), block);
  if (options.overlong == LineOptions::Overlong::truncate) return 1;
  std::size_t pieces = 0;
  for (std::size_t at = options.max_length; at < line.size(); at += options.max_length, ++pieces) {
    batch.add(line.substr(at, options.max_length), block);
  }
  return pieces;
}

LineSplitter::LineSplitter(LineOptions options, MemoryBudget* budget, std::size_t slab_bytes)
    : options_(options), budget_(budget), slab_bytes_(slab_bytes) {}

std::span<char> LineSplitter::space() {
  if (slab_ != nullptr && filled_ < slab_->capacity()) return {slab_->data() + filled_, slab_->capacity() - filled_};
  const std::size_t rest = pending();
  // A long line makes its slab double, so that copying it stays linear; max_length ends that.
  auto fresh = Slab::make(std::max(slab_bytes_, rest * 2), budget_);
  if (rest > 0) std::memcpy(fresh->data(), slab_->data() + taken_, rest);
  scanned_ -= taken_;
  taken_ = 0;
  filled_ = rest;
  slab_ = std::move(fresh);
  return {slab_->data() + filled_, slab_->capacity() - filled_};
}

std::string_view LineSplitter::waiting() const { return {slab_->data() + scanned_, filled_ - scanned_}; }

void LineSplitter::add(Batch& batch, std::string_view line, Batch::Block block) {
  if (options_.strip_carriage_return) line = without_carriage_return(line);
  if (within_overlong_) {
    within_overlong_ = false;
    if (options_.overlong == LineOptions::Overlong::truncate || line.empty()) return;
  }
  if (add_line(batch, line, block, options_) > 0) ++overlong_lines_;
}

std::size_t LineSplitter::take(Batch& batch, Batch::Block block, std::size_t max_events) {
  if (slab_ == nullptr || max_events == 0) return 0;
  const std::size_t before = batch.size();
  batch.pin(slab_);
  const std::size_t base = scanned_;
  const std::size_t visited = for_each_line(waiting(), [&](std::size_t, std::size_t feed) {
    add(batch, {slab_->data() + taken_, base + feed - taken_}, block);
    taken_ = base + feed + 1;
    return batch.size() - before < max_events;
  });
  scanned_ = base + visited;
  if (batch.size() - before >= max_events) return batch.size() - before;
  scanned_ = filled_;
  take_overlong_piece(batch, block);
  return batch.size() - before;
}

std::size_t LineSplitter::take_overlong_piece(Batch& batch, Batch::Block block) {
  // One byte more than the limit: a line of exactly that length may still be followed by its CR and feed.
  const std::size_t before = batch.size();
  while (options_.max_length != 0 && pending() > options_.max_length + 1) {
    const std::string_view piece(slab_->data() + taken_, options_.max_length);
    if (!within_overlong_) ++overlong_lines_;
    const bool drop = within_overlong_ && options_.overlong == LineOptions::Overlong::truncate;
    if (!drop) batch.add(piece, block);
    within_overlong_ = true;
    taken_ += piece.size();
  }
  return batch.size() - before;
}

bool LineSplitter::finish(Batch& batch, Batch::Block block) {
  if (slab_ == nullptr || pending() == 0) return false;
  const std::size_t before = batch.size();
  batch.pin(slab_);
  add(batch, {slab_->data() + taken_, pending()}, block);
  taken_ = scanned_ = filled_;
  return batch.size() > before;
}

}  // namespace standpipe
