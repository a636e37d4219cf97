#include "interceptors/regex_extractor/header_interner.h"

#include <bit>
#include <charconv>
#include <functional>

namespace standpipe {

void HeaderInterner::begin(Batch& batch) {
  batch_ = &batch;
  count_ = lookups_ = hits_ = 0;
  looking_ = batch.size() > 1;
  table_.assign(std::bit_ceil(2 * batch.size() + 1), Known());
}

void HeaderInterner::add(std::string_view name, std::string_view value) {
  if (count_ == values_.size()) values_.emplace_back();
  values_[count_].name = name;
  values_[count_].text = value;
  values_[count_].is_number = false;
  ++count_;
}

void HeaderInterner::add_number(std::string_view name, std::int64_t value) {
  add(name, {});
  // The text is set when it is used: values_ may still move.
  Value& slot = values_[count_ - 1];
  slot.is_number = true;
  const auto end = std::to_chars(slot.digits.data(), slot.digits.data() + slot.digits.size(), value).ptr;
  slot.size = static_cast<std::size_t>(end - slot.digits.data());
}

void HeaderInterner::apply(std::size_t event) {
  if (count_ == 0) return;
  for (std::size_t i = 0; i < count_; ++i) {
    Value& value = values_[i];
    if (value.is_number) value.text = {value.digits.data(), value.size};
  }
  const Batch::Block from = batch_->block_of(event);
  batch_->set_block(event, looking_ ? find_or_make(from) : make(from));
}

std::uint64_t HeaderInterner::hash(Batch::Block from) const {
  std::uint64_t sum = from;
  for (std::size_t i = 0; i < count_; ++i) {
    sum = (sum ^ std::hash<std::string_view>()(values_[i].text)) * 0x9e3779b97f4a7c15u;
    sum ^= sum >> 29;
  }
  return sum;
}

bool HeaderInterner::holds(const Known& known, std::uint64_t hash, Batch::Block from) const {
  if (known.hash != hash || known.from != from) return false;
  // Every header of the known block must be this event's new one, or the old one where it has none. The old names are
  // all there: both came from the same block.
  const Headers& old = batch_->block(from);
  std::size_t next = 0;
  for (const auto& [name, text] : batch_->block(known.block)) {
    const bool is_new = next < count_ && values_[next].name == name;
    if (is_new ? values_[next].text != text : old.get(name) != std::string_view(text)) return false;
    if (is_new) ++next;
  }
  return next == count_;
}

Batch::Block HeaderInterner::find_or_make(Batch::Block from) {
  if (lookups_++ == kTrial && hits_ * kWorthwhile < kTrial) looking_ = false;
  const std::uint64_t sum = hash(from);
  const std::size_t mask = table_.size() - 1;
  std::size_t slot = sum & mask;
  for (; table_[slot].block != 0; slot = (slot + 1) & mask) {
    if (holds(table_[slot], sum, from)) {
      ++hits_;
      return table_[slot].block;
    }
  }
  table_[slot] = {sum, from, make(from)};
  return table_[slot].block;
}

Batch::Block HeaderInterner::make(Batch::Block from) const {
  Headers& headers = batch_->add_block(from, count_);
  for (std::size_t i = 0; i < count_; ++i) headers.set(values_[i].name, values_[i].text);
  return batch_->last_block();
}

}  // namespace standpipe
