// Random operations on the memory channel, compared step by step with the plainest model of it.

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "channels/memory/memory_channel.h"
#include "support/engine_parts.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

constexpr std::int64_t kCapacity = 20;
constexpr std::size_t kMaxTake = 7;

/// What happens in one step; `a` and `b` choose sizes and which put or lease.
struct Step {
  enum class Kind { put, reserve, store, publish, drop_put, take, commit, give_back, drop_lease, revoke, resize };
  Kind kind;
  unsigned a;
  unsigned b;
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << "{" << static_cast<int>(step.kind) << "," << step.a << "," << step.b << "}";
}

struct OpenPut {
  BatchPtr batch;
  std::unique_ptr<Put> put;
  bool stored = false;
};

struct OpenLease {
  Lease lease;
  std::vector<std::size_t> numbers;  // publication numbers of its events
  std::vector<bool> settled;
  bool revoked = false;
};

class World {
 public:
  World()
      : channel_(Settings::parse(*kMemoryChannel.info, {{"capacity", std::to_string(kCapacity)},
                                                        {"transactionCapacity", std::to_string(kMaxTake)}})
                     .value(),
                 environment_.environment) {
    RC_ASSERT(channel_.start().ok());
  }

  void run(const Step& step) {
    switch (step.kind) {
      case Step::Kind::reserve: reserve(1 + step.a % 8); break;
      case Step::Kind::put:
        if (reserve(1 + step.a % 8)) {
          store(puts_.size() - 1);
          publish(puts_.size() - 1);
        }
        break;
      case Step::Kind::store:
        if (!puts_.empty()) store(step.a % puts_.size());
        break;
      case Step::Kind::publish:
        if (!puts_.empty()) publish(step.a % puts_.size());
        break;
      case Step::Kind::drop_put:
        if (!puts_.empty()) drop_put(step.a % puts_.size());
        break;
      case Step::Kind::take: take(1 + step.a % 10); break;
      case Step::Kind::commit: settle(step, true); break;
      case Step::Kind::give_back: settle(step, false); break;
      case Step::Kind::drop_lease:
        if (!leases_.empty()) drop_lease(step.a % leases_.size());
        break;
      case Step::Kind::revoke:
        if (!leases_.empty()) revoke(leases_[step.a % leases_.size()]);
        break;
      case Step::Kind::resize: resize(5 + step.a % 30); break;
    }
    RC_ASSERT(channel_.size() == stored_);
  }

  void finish() {
    leases_.clear();
    puts_.clear();
    for (const auto& [number, body] : ready_) leased_or_ready_.insert({number, body});
    std::vector<std::string> expected;
    for (const auto& [number, body] : leased_or_ready_) expected.push_back(body);
    RC_ASSERT(testing::drain(channel_) == expected);
    RC_ASSERT(channel_.size() == 0);
  }

 private:
  bool reserve(std::size_t events) {
    const BatchPtr batch = testing::numbered_ptr(next_body_, events);
    auto put = channel_.reserve(*batch);
    const auto wanted = static_cast<std::int64_t>(events);
    const Code expected = wanted > capacity_ ? Code::poison : used_ + wanted > capacity_ ? Code::full : Code::ok;
    RC_ASSERT(put.status().code() == expected);
    if (!put.ok()) return false;
    next_body_ += events;
    used_ += wanted;
    puts_.push_back({batch, std::move(*put), false});
    return true;
  }

  void store(std::size_t index) {
    OpenPut& open = puts_[index];
    if (open.stored) return;
    RC_ASSERT(open.put->store(open.batch).wait().ok());
    open.stored = true;
    stored_ += static_cast<std::int64_t>(open.batch->size());
  }

  void publish(std::size_t index) {
    OpenPut& open = puts_[index];
    if (!open.stored) return;
    open.put->publish();
    for (std::size_t i = 0; i < open.batch->size(); ++i) ready_[next_number_++] = std::string((*open.batch)[i].body);
    puts_.erase(puts_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  void drop_put(std::size_t index) {
    const auto events = static_cast<std::int64_t>(puts_[index].batch->size());
    used_ -= events;
    if (puts_[index].stored) stored_ -= events;
    puts_.erase(puts_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  void take(std::size_t events) {
    Lease lease = channel_.take(events).value();
    std::vector<std::string> expected;
    OpenLease open;
    const std::size_t limit = std::min({events, kMaxTake, static_cast<std::size_t>(capacity_)});
    while (expected.size() < limit && !ready_.empty()) {
      expected.push_back(ready_.begin()->second);
      open.numbers.push_back(ready_.begin()->first);
      leased_or_ready_.insert(*ready_.begin());
      ready_.erase(ready_.begin());
    }
    RC_ASSERT(testing::bodies(lease) == expected);
    open.settled.assign(expected.size(), false);
    open.lease = std::move(lease);
    if (!expected.empty()) leases_.push_back(std::move(open));
  }

  void settle(const Step& step, bool commit) {
    if (leases_.empty()) return;
    OpenLease& open = leases_[step.a % leases_.size()];
    const std::size_t size = open.numbers.size();
    const std::size_t first = step.b % (size + 1);
    const std::size_t last = first + (step.a / 7) % (size - first + 1);
    if (commit) {
      const Code code = open.lease.commit(first, last).code();
      RC_ASSERT(code == (open.revoked ? Code::fenced : Code::ok));
    } else {
      open.lease.give_back(first, last);
    }
    if (!open.revoked) settle_in_model(open, first, last, commit);
  }

  void settle_in_model(OpenLease& open, std::size_t first, std::size_t last, bool commit) {
    for (std::size_t i = first; i < last; ++i) {
      if (open.settled[i]) continue;
      open.settled[i] = true;
      const auto event = leased_or_ready_.find(open.numbers[i]);
      if (commit) {
        --used_;
        --stored_;
      } else {
        ready_.insert(*event);
      }
      leased_or_ready_.erase(event);
    }
  }

  void revoke(OpenLease& open) {
    const auto left = static_cast<std::size_t>(std::count(open.settled.begin(), open.settled.end(), false));
    RC_ASSERT(open.lease.fence().revoke() == left);
    settle_in_model(open, 0, open.numbers.size(), false);
    open.revoked = true;
  }

  void drop_lease(std::size_t index) {
    OpenLease& open = leases_[index];
    if (!open.revoked) settle_in_model(open, 0, open.numbers.size(), false);
    leases_.erase(leases_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  void resize(std::int64_t capacity) {
    capacity_ = capacity;
    const Settings settings =
        Settings::parse(*kMemoryChannel.info,
                        {{"capacity", std::to_string(capacity)},
                         {"transactionCapacity", std::to_string(std::min<std::int64_t>(capacity, kMaxTake))}})
            .value();
    RC_ASSERT(channel_.reconfigure(settings).ok());
  }

  testing::TestEnvironment environment_{"c1"};
  MemoryChannel channel_;
  std::int64_t capacity_ = kCapacity;
  std::int64_t used_ = 0;
  std::int64_t stored_ = 0;
  std::size_t next_body_ = 0;
  std::size_t next_number_ = 0;
  std::map<std::size_t, std::string> ready_;            // by publication
  std::map<std::size_t, std::string> leased_or_ready_;  // what open leases hold
  std::vector<OpenPut> puts_;
  std::vector<OpenLease> leases_;
};

}  // namespace
}  // namespace standpipe

namespace rc {
template <>
struct Arbitrary<standpipe::Step> {
  static Gen<standpipe::Step> arbitrary() {
    using Kind = standpipe::Step::Kind;
    return gen::build<standpipe::Step>(
        gen::set(&standpipe::Step::kind,
                 gen::element(Kind::put, Kind::put, Kind::put, Kind::reserve, Kind::store, Kind::publish,
                              Kind::drop_put, Kind::take, Kind::take, Kind::take, Kind::commit, Kind::commit,
                              Kind::commit, Kind::give_back, Kind::drop_lease, Kind::revoke, Kind::resize)),
        gen::set(&standpipe::Step::a, gen::inRange(0u, 1000u)), gen::set(&standpipe::Step::b, gen::inRange(0u, 1000u)));
  }
};
}  // namespace rc

namespace standpipe {
namespace {

TEST(MemoryChannelModel, BehavesAsAPlainQueue) {
  ::setenv("RC_PARAMS", "max_success=1000", 0);  // a seed given from outside stays
  const bool held = rc::check("the channel and the model agree after every step", [] {
    // A size of our own: the library's lists start too short to fill the channel.
    const auto size = *rc::gen::inRange(1, 120);
    const auto steps =
        *rc::gen::container<std::vector<Step>>(static_cast<std::size_t>(size), rc::gen::arbitrary<Step>());
    World world;
    for (const Step& step : steps) world.run(step);
    world.finish();
  });
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace standpipe
