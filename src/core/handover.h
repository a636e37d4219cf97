#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "standpipe/batch.h"
#include "standpipe/channel.h"
#include "standpipe/environment.h"
#include "standpipe/status.h"

namespace standpipe {

/// One batch (or one sub-batch per channel) on its way into several required channels, all or none:
///
///   reserve in all, by name -> store in those that can't reserve -> store in the rest -> publish in all
///      | one is full: give all back, wait          | one fails: take the unpublished back; fail, or, where something
///      v                                           v  can't be taken back, try the missing channels again
///
/// A batch that is larger than a channel goes in parts, each through all steps. Knows no thread and no clock: its owner
/// (SourceIngest) calls advance() again when room appeared, when a store completed or when it is time to try again.
/// All calls come from one thread at a time.
class Handover {
 public:
  enum class Progress : unsigned char {
    waiting,   ///< a channel is full: advance() again when there is room
    retrying,  ///< a channel failed after another had stored for good: advance() again after a pause
    storing,   ///< stores are under way; on_stored was given to them
    stored,    ///< this part is stored everywhere: publish()
    failed,    ///< see failure(); nothing that can be taken back was left behind
  };
  /// Called from any thread, also from inside advance(), with a task that must run where advance() runs.
  using Post = std::function<void(std::function<void()> task)>;

  struct Leg {
    std::string name;
    std::shared_ptr<Channel> channel;
    BatchPtr batch;
  };

  using TellParts = std::function<void(std::size_t events)>;

  /// `legs` is not empty. `tell_parts` is called when a batch must go in parts of so many events.
  Handover(std::vector<Leg> legs, TellParts tell_parts);
  /// A hand-over to one channel whose store() has been called already.
  Handover(Leg leg, std::unique_ptr<Put> put);
  ~Handover();
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  /// Goes as far as possible. `post` is used for stores that complete later; each of its tasks ends with a call of
  /// `changed`.
  Progress advance(const Post& post, const std::function<void()>& changed);
  /// After `stored`: makes the part takeable. True when that was the last one; otherwise advance() again.
  bool publish();

  /// Waits for a store() that was called before (second constructor).
  void adopt(Receipt receipt, const Post& post, const std::function<void()>& changed);

  const Status& failure() const { return failure_; }
  /// Gives up: everything that can be taken back is. For a hand-over whose deadline passed or that is stopped.
  void abandon();
  /// Whether a part, or a channel's share of one, is stored and can't be taken back.
  bool is_irrevocable() const { return irrevocable_; }
  /// Whether this part is the last one.
  bool on_last_part() const;
  /// The longest keep-alive of the channels.
  std::chrono::milliseconds keep_alive() const;
  /// "channel c1 is full (100 of 100 events)", about the channel that was full last.
  std::string why_full() const;

  /// Sabotage only: goes on with other batches.
  template <typename Change>
  void replace_batches(Change change) {
    for (State& state : legs_) state.leg.batch = change(state.leg.batch);
  }

 private:
  enum class Step : unsigned char { reserve, store_unreservable, store_rest, stored, failed };
  struct State {
    Leg leg;
    std::size_t next = 0;  // events of the batch that are published
    BatchPtr part{};       // what goes in now
    std::unique_ptr<Put> put{};
    Status result{};
    bool settled = false;  // this part is in and can't be taken back
  };

  void cut_parts();
  Status reserve_all();
  Status find_event_too_large() const;
  Progress reserve_step();
  void store(bool unreservable, const Post& post, const std::function<void()>& changed);
  void await(State& state, Receipt receipt, const Post& post, const std::function<void()>& changed);
  /// Always by `changed`, also where the receipt is complete already.
  void listen(State& state, Receipt receipt, const Post& post, const std::function<void()>& changed);
  Progress after_failed_store(Status why);
  Progress fail(Status why);
  Progress retry_after(Status why);
  void give_back();

  std::vector<State> legs_;  // by name
  TellParts tell_parts_;
  Step step_ = Step::reserve;
  std::size_t part_limit_;
  std::size_t outstanding_ = 0;
  bool issued_ = false;
  bool irrevocable_ = false;  // something of this batch is in a channel for good
  std::size_t full_leg_ = 0;
  Status failure_;
};

}  // namespace standpipe
