#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace standpipe {

/// Bytes that the process may hold in source buffers, channels, windows and open files. One per process.
/// A fixed share is kept for what drains (leases, windows, open files), so that a full intake can always empty itself.
/// Thread-safe, lock-free.
class MemoryBudget {
 public:
  enum class Use : unsigned char { intake, drain };

  /// `limit` bytes in all, of which `drain_percent` (0..100) only Use::drain may touch.
  explicit MemoryBudget(std::uint64_t limit, unsigned drain_percent = 25)
      : limit_(limit), intake_limit_(limit - limit / 100 * drain_percent) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  /// Takes `bytes` when they fit; false otherwise, and then nothing was taken.
  bool try_charge(std::uint64_t bytes, Use use);
  /// Takes `bytes` even beyond the limit: for what is already in memory and can't be refused any more.
  void force_charge(std::uint64_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void release(std::uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  std::uint64_t limit() const { return limit_; }
  /// The most that one intake can ever hold: a single event above it is poison.
  std::uint64_t intake_limit() const { return intake_limit_; }

 private:
  const std::uint64_t limit_;
  const std::uint64_t intake_limit_;
  std::atomic<std::uint64_t> used_{0};
};

/// Bytes of a budget that are given back when this goes. Move-only; the budget must outlive it.
class BudgetCharge {
 public:
  BudgetCharge() = default;
  /// Takes them even beyond the limit (MemoryBudget::force_charge).
  BudgetCharge(MemoryBudget& budget, std::uint64_t bytes) : budget_(&budget), bytes_(bytes) {
    budget.force_charge(bytes);
  }
  BudgetCharge(BudgetCharge&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  BudgetCharge& operator=(BudgetCharge&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~BudgetCharge() {
    if (budget_ != nullptr) budget_->release(bytes_);
  }

  MemoryBudget* budget() const { return budget_; }

 private:
  MemoryBudget* budget_ = nullptr;
  std::uint64_t bytes_ = 0;
};

}  // namespace standpipe
