#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "standpipe/batch.h"

namespace standpipe {

/// At most `limit` events of `batch` from `first` on; the batch itself when that is all of it.
inline BatchPtr batch_part(const BatchPtr& batch, std::size_t first, std::size_t limit) {
  const std::size_t count = std::min(limit, batch->size() - first);
  if (count == batch->size()) return batch;
  std::vector<std::size_t> indices(count);
  std::iota(indices.begin(), indices.end(), first);
  return std::make_shared<const Batch>(batch->subset(indices));
}

}  // namespace standpipe
