#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "standpipe/batch.h"
#include "standpipe/receipt.h"
#include "standpipe/source.h"

namespace standpipe {

/// The batches that a source has handed over and knows no outcome of: their receipts complete on any thread, also after
/// the source is gone, and wait here for the source's own. `Ticket` is the source's note on a batch.
///
///   if (auto landed = in_flight_->deliver(ingest, std::move(batch), ticket)) settle(*landed);
///   for (const auto& landed : in_flight_->landed()) settle(landed);   // each turn
///   in_flight_->wait(clock, stop, until);                                   // nothing to do
///
/// Belongs to the source's thread; what bell() gives is for any.
template <typename Ticket>
class InFlight {
 public:
  struct Landed {
    Ticket ticket;
    std::size_t events;
    std::size_t bytes;  ///< its part of bytes()
    Status status;
  };

  std::size_t count() const { return count_; }
  /// Bodies, and what a hand-over holds beside them.
  std::size_t bytes() const { return bytes_; }

  /// The outcome, when it is known at once.
  std::optional<Landed> deliver(Ingest& ingest, Batch batch, Ticket ticket) {
    Landed flight{std::move(ticket), batch.size(), batch.body_bytes() + kOverhead, {}};
    Receipt receipt = ingest.deliver(std::move(batch));
    if (receipt.ready()) {
      flight.status = receipt.wait();
      return flight;
    }
    ++count_;
    bytes_ += flight.bytes;
    std::move(receipt).then_inline([inbox = inbox_, flight = std::move(flight)](const Status& status) mutable {
      std::lock_guard lock(inbox->mutex);
      flight.status = status;
      inbox->landed.push_back(std::move(flight));
      if (inbox->landed.size() == 1) inbox->changed.notify_all();
    });
    return std::nullopt;
  }

  /// What has completed since the last call.
  std::vector<Landed> landed() {
    std::vector<Landed> all;
    {
      std::lock_guard lock(inbox_->mutex);
      all.swap(inbox_->landed);
    }
    for (const Landed& each : all) bytes_ -= each.bytes;
    count_ -= all.size();
    return all;
  }

  /// Ends a wait(), or the next one, from any thread and at any time.
  std::function<void()> bell() const {
    return [inbox = inbox_] {
      std::lock_guard lock(inbox->mutex);
      inbox->rung = true;
      inbox->changed.notify_all();
    };
  }
  /// Has it been rung since the last call?
  bool rung() {
    std::lock_guard lock(inbox_->mutex);
    return std::exchange(inbox_->rung, false);
  }

  /// Until something has landed, the bell was rung, the time has come, or the source is to stop.
  void wait(Clock& clock, std::stop_token stop, Clock::Steady until) {
    std::unique_lock lock(inbox_->mutex);
    clock.wait_until(lock, inbox_->changed, stop, until, [this] { return inbox_->rung || !inbox_->landed.empty(); });
  }

  /// At the end of a source's run, while channels still work: waiting for what is under way spares duplicates after the
  /// restart. A second at most.
  void drain(const std::function<void(const Landed&)>& settle) {
    const auto limit = std::chrono::steady_clock::now() + kDrainLimit;
    while (count_ > 0) {
      {
        // The machine's own clock: a test that stopped its virtual one must still end.
        std::unique_lock lock(inbox_->mutex);
        if (!inbox_->changed.wait_until(lock, limit, [this] { return !inbox_->landed.empty(); })) return;
      }
      for (const Landed& each : landed()) settle(each);
    }
  }

 private:
  static constexpr std::size_t kOverhead = 512;
  static constexpr std::chrono::seconds kDrainLimit{1};

  struct Inbox {
    ~Inbox() {
      for (const Landed& late : landed) late.status.ignore();  // came after the source had stopped
    }
    std::mutex mutex;
    std::condition_variable_any changed;
    std::vector<Landed> landed;  // guarded by mutex
    bool rung = false;           // guarded by mutex
  };

  std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace standpipe
