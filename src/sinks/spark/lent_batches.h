#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "standpipe/lease.h"

namespace standpipe {

class SparkSession;

/// The batches that receivers have and have not acknowledged yet, by their numbers, and which of the earlier ones went
/// back to the channel. One thread.
class LentBatches {
 public:
  struct Lent {
    Lease lease;
    std::size_t events = 0;  ///< its first ones; the others have gone back
    Clock::Steady deadline;
    std::string receiver;                      ///< for people
    std::weak_ptr<SparkSession> session = {};  ///< that it was sent to
    std::uint64_t number = 0;                  ///< lend() gives it
  };

  /// The number that the next lend() will give; from 1, ascending.
  std::uint64_t next_number() const { return next_; }
  void lend(Lent lent);
  /// The batch, which is lent no more. Empty: that number is not out.
  std::optional<Lent> settle(std::uint64_t number);
  /// The same for one that goes back, which is remembered.
  std::optional<Lent> give_up(std::uint64_t number);
  /// Those whose time is over go back.
  std::vector<Lent> expire(Clock::Steady now);
  /// How many events went back under that number. Empty: it was acknowledged, or is long forgotten.
  std::optional<std::size_t> went_back(std::uint64_t number) const;

  std::size_t size() const { return lent_.size(); }
  bool empty() const { return lent_.empty(); }
  /// Of the oldest; there is one.
  Clock::Steady next_deadline() const { return lent_.begin()->second.deadline; }

 private:
  struct Back {
    std::uint64_t number;
    std::size_t events;
  };

  std::map<std::uint64_t, Lent> lent_;  // deadlines ascend with the numbers
  std::deque<Back> back_;               // in the order in which they went
  std::uint64_t next_ = 1;
};

}  // namespace standpipe
