#include "core/handover.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/check.h"
#include "base/failpoint.h"
#include "core/batch_part.h"
#include "standpipe/receipt.h"

namespace standpipe {

namespace {

constexpr std::size_t kWhole = std::numeric_limits<std::size_t>::max();

}  // namespace

Handover::Handover(std::vector<Leg> legs, TellParts tell_parts)
    : tell_parts_(std::move(tell_parts)), part_limit_(kWhole) {
  std::sort(legs.begin(), legs.end(), [](const Leg& a, const Leg& b) { return a.name < b.name; });
  legs_.reserve(legs.size());
  for (Leg& leg : legs) legs_.push_back(State{.leg = std::move(leg)});
  cut_parts();
}

Handover::Handover(Leg leg, std::unique_ptr<Put> put) : step_(Step::store_rest), part_limit_(kWhole), issued_(true) {
  BatchPtr batch = leg.batch;
  legs_.push_back(State{.leg = std::move(leg), .part = std::move(batch), .put = std::move(put)});
}

Handover::~Handover() = default;

void Handover::cut_parts() {
  std::size_t smallest = kWhole;
  bool too_large = false;
  for (const State& state : legs_) {
    const auto capacity = static_cast<std::size_t>(std::max<std::int64_t>(1, state.leg.channel->capacity()));
    smallest = std::min(smallest, capacity);
    too_large = too_large || state.leg.batch->size() - state.next > capacity;
  }
  if (too_large && smallest < part_limit_) {
    part_limit_ = smallest;
    if (tell_parts_) tell_parts_(part_limit_);
  }
  for (State& state : legs_) {
    const bool finished = state.next == state.leg.batch->size();
    if (!state.settled) state.part = finished ? nullptr : batch_part(state.leg.batch, state.next, part_limit_);
  }
}

std::chrono::milliseconds Handover::keep_alive() const {
  std::chrono::milliseconds longest{0};
  for (const State& state : legs_) longest = std::max(longest, state.leg.channel->keep_alive());
  return longest;
}

bool Handover::on_last_part() const {
  return std::all_of(legs_.begin(), legs_.end(), [](const State& state) {
    return state.next + (state.part == nullptr ? 0 : state.part->size()) == state.leg.batch->size();
  });
}

std::string Handover::why_full() const {
  const Leg& leg = legs_[full_leg_].leg;
  return fmt::format("channel {} is full ({} of {} events): its sinks do not keep up, or its capacity is too small",
                     leg.name, leg.channel->size(), leg.channel->capacity());
}

void Handover::give_back() {
  for (State& state : legs_) state.put.reset();
}

void Handover::abandon() {
  if (outstanding_ == 0) give_back();
}

Handover::Progress Handover::fail(Status why) {
  give_back();
  failure_ = std::move(why);
  step_ = Step::failed;
  return Progress::failed;
}

Handover::Progress Handover::retry_after(Status why) {
  failure_ = std::move(why);
  failure_.ignore();  // of interest only when the tries end without success
  return Progress::retrying;
}

Status Handover::reserve_all() {
  for (std::size_t i = 0; i < legs_.size(); ++i) {
    State& state = legs_[i];
    if (state.part == nullptr || state.settled) continue;
    auto put = state.leg.channel->reserve(*state.part);
    if (!put.ok()) {
      full_leg_ = i;
      if (!FAILPOINT("handover.keep_reserved")) give_back();
      return put.status();
    }
    state.put = std::move(*put);
  }
  return {};
}

/// What no channel can ever hold is found before the first part is stored: a source that delivers the batch again would
/// store that part again and again.
Status Handover::find_event_too_large() const {
  for (const State& state : legs_) {
    const std::uint64_t limit = state.leg.channel->byte_capacity();
    for (std::size_t i = state.next; i < state.leg.batch->size(); ++i) {
      const std::size_t bytes = state.leg.batch->bytes(i, i + 1);
      if (bytes <= limit) continue;
      return {Code::poison, fmt::format("channel {}: an event of {} bytes can never fit into a byteCapacity of {}",
                                        state.leg.name, bytes, limit)};
    }
  }
  return {};
}

Handover::Progress Handover::reserve_step() {
  for (;;) {
    Status status = reserve_all();
    if (status.ok() && !irrevocable_ && !on_last_part()) {
      if (Status refused = find_event_too_large(); !refused.ok()) return fail(std::move(refused));
    }
    if (status.ok()) {
      step_ = Step::store_unreservable;
      issued_ = false;
      return Progress::stored;
    }
    if (status.code() == Code::full) return Progress::waiting;
    const std::size_t refused = legs_[full_leg_].part->size();
    if (status.code() != Code::poison || refused == 1) {
      const Status with_name = status.with_context("channel " + legs_[full_leg_].leg.name);
      if (irrevocable_ && status.code() != Code::poison && status.code() != Code::stopped) {
        return retry_after(with_name);
      }
      return fail(with_name);
    }
    // Too many bytes for the channel: smaller parts may fit.
    part_limit_ = refused / 2;
    cut_parts();
  }
}

void Handover::await(State& state, Receipt receipt, const Post& post, const std::function<void()>& changed) {
  if (receipt.ready()) {
    state.result = receipt.wait();
    return;
  }
  listen(state, std::move(receipt), post, changed);
}

void Handover::listen(State& state, Receipt receipt, const Post& post, const std::function<void()>& changed) {
  ++outstanding_;
  std::move(receipt).then_inline([this, &state, post, changed](const Status& status) {
    post([this, &state, status, changed] {
      state.result = status;
      --outstanding_;
      changed();
    });
  });
}

void Handover::adopt(Receipt receipt, const Post& post, const std::function<void()>& changed) {
  // Also where it has completed since its owner looked: nobody but `changed` goes on from here.
  listen(legs_.front(), std::move(receipt), post, changed);
}

void Handover::store(bool unreservable, const Post& post, const std::function<void()>& changed) {
  issued_ = true;
  for (State& state : legs_) {
    if (state.put == nullptr || state.leg.channel->reserves() == unreservable) continue;
    await(state, state.put->store(state.part), post, changed);
  }
}

Handover::Progress Handover::after_failed_store(Status why) {
  for (State& state : legs_) {
    if (state.put == nullptr) continue;
    const bool stored_for_good = state.result.ok() && !state.leg.channel->reserves();
    if (stored_for_good) {
      state.put->publish();
      state.settled = true;
      irrevocable_ = true;
    }
    state.put.reset();
    state.result = Status();
  }
  step_ = Step::reserve;
  if (!irrevocable_) return fail(std::move(why));
  return retry_after(std::move(why));
}

Handover::Progress Handover::advance(const Post& post, const std::function<void()>& changed) {
  for (;;) {
    switch (step_) {
      case Step::failed: return Progress::failed;
      case Step::stored: return Progress::stored;
      case Step::reserve: {
        const Progress progress = reserve_step();
        if (progress != Progress::stored) return progress;
        break;
      }
      case Step::store_unreservable:
      case Step::store_rest: {
        if (!issued_) store(step_ == Step::store_unreservable, post, changed);
        if (outstanding_ > 0) return Progress::storing;
        for (const State& state : legs_) {
          if (!state.result.ok()) return after_failed_store(state.result.with_context("channel " + state.leg.name));
        }
        issued_ = step_ == Step::store_rest;
        step_ = step_ == Step::store_unreservable ? Step::store_rest : Step::stored;
        break;
      }
    }
  }
}

bool Handover::publish() {
  CHECK(step_ == Step::stored);
  bool last = true;
  for (State& state : legs_) {
    if (state.put != nullptr) state.put->publish();
    state.put.reset();
    if (state.part != nullptr) state.next += state.part->size();
    state.settled = false;
    last = last && state.next == state.leg.batch->size();
  }
  if (last) return true;
  irrevocable_ = true;
  step_ = Step::reserve;
  cut_parts();
  return false;
}

}  // namespace standpipe
