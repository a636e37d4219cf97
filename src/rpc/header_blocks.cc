#include "rpc/header_blocks.h"

#include <algorithm>

#include <fmt/format.h>

namespace standpipe::rpc {

Status HeaderBlocks::expect(std::size_t more) {
  if (more <= limits_.headers - headers_.size()) return {};
  return {Code::corrupt, fmt::format("more than {} headers in one event", limits_.headers)};
}

Status HeaderBlocks::finish(std::string_view written, Batch& batch) {
  last_ = written;
  block_ = Batch::kNoHeaders;
  if (headers_.empty()) return {};
  made_ += headers_.size();
  if (made_ > limits_.headers_in_all) {
    return {Code::corrupt, fmt::format("more than {} headers in one request", limits_.headers_in_all)};
  }
  make_block(batch);
  return {};
}

/// Sorted first: headers that arrive backwards would otherwise be moved once for each that follows.
void HeaderBlocks::make_block(Batch& batch) {
  const auto by_name = [](const auto& a, const auto& b) { return a.first < b.first; };
  if (!std::is_sorted(headers_.begin(), headers_.end(), by_name)) {
    std::stable_sort(headers_.begin(), headers_.end(), by_name);  // of equal names the last one counts, as in Java
  }
  Headers& block = batch.add_block(Batch::kNoHeaders, headers_.size());
  for (const auto& [name, value] : headers_) block.set(name, value);
  block_ = batch.last_block();
}

}  // namespace standpipe::rpc
