#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "standpipe/sink.h"

namespace standpipe::testing {

/// A channel's end for a sink under test: gives out one batch, `max_events` at a time, and counts what was committed.
/// What is given back counts and does not come again.
class OneBatchOutlet final : public Outlet {
 public:
  explicit OneBatchOutlet(Batch batch) : batch_(std::make_shared<const Batch>(std::move(batch))) {}
  explicit OneBatchOutlet(const std::vector<std::string>& bodies) : OneBatchOutlet(batch_of(bodies)) {}

  Result<Lease> take(std::size_t max_events) override {
    const std::size_t count = std::min(max_events, batch_->size() - taken_);
    if (count == 0) return Lease();
    std::vector<BatchSpan> spans{{batch_, taken_, count}};
    taken_ += count;
    return Lease(std::move(spans), std::make_unique<Backend>(*this));
  }

  std::size_t committed() const { return committed_; }
  std::size_t given_back() const { return given_back_; }

 private:
  class Backend final : public LeaseBackend {
   public:
    explicit Backend(OneBatchOutlet& outlet) : outlet_(outlet) {}
    Status commit(std::size_t first, std::size_t last) override {
      outlet_.committed_ += last - first;
      return {};
    }
    void give_back(std::size_t first, std::size_t last) override { outlet_.given_back_ += last - first; }

   private:
    OneBatchOutlet& outlet_;
  };

  static Batch batch_of(const std::vector<std::string>& bodies) {
    Batch batch;
    for (const std::string& body : bodies) batch.add_copy(body);
    return batch;
  }

  BatchPtr batch_;
  std::size_t taken_ = 0;
  std::size_t committed_ = 0;
  std::size_t given_back_ = 0;
};

}  // namespace standpipe::testing
