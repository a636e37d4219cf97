// Random operations on the file channel, with crashes, power cuts, a full disk and failing syncs in between, compared
// with the plainest model of it: which events were acknowledged, committed, or are on their way.

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/clock.h"
#include "channels/file/file_channel.h"
#include "io/faulty_file_system.h"
#include "io/memory_file_system.h"
#include "support/engine_parts.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using Operation = FaultyFileSystem::Operation;
constexpr std::int64_t kCapacity = 60;
constexpr std::size_t kMaxTake = 9;

struct Step {
  enum class Kind {
    put,
    store,
    publish,
    drop_put,
    take,
    commit,
    give_back,
    drop_lease,
    revoke,
    stop,
    crash,
    power_cut,
    torn_cut,
    failing_sync,
    full_disk,
    house
  };
  Kind kind;
  unsigned a;
  unsigned b;
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << "{" << static_cast<int>(step.kind) << "," << step.a << "," << step.b << "}";
}

/// Bodies are "number" or "number xxx…" so that segments fill.
std::size_t number_of(std::string_view body) { return std::stoul(std::string(body)); }

/// Half of the runs encrypt; of these some change their key with every life.
enum class Encryption : unsigned char { none, one_key, other_key_each_life };

class World {
 public:
  explicit World(Encryption encryption) : encryption_(encryption) { open(); }
  ~World() {
    leases_.clear();
    puts_.clear();
  }

  void run(const Step& step) {
    switch (step.kind) {
      case Step::Kind::put:
        if (store(1 + step.a % 8, step.b)) publish(puts_.size() - 1);
        break;
      case Step::Kind::store: store(1 + step.a % 8, step.b); break;
      case Step::Kind::publish:
        if (!puts_.empty()) publish(step.a % puts_.size());
        break;
      case Step::Kind::drop_put:
        if (!puts_.empty()) drop_put(step.a % puts_.size());
        break;
      case Step::Kind::take: take(1 + step.a % 12); break;
      case Step::Kind::commit: settle(step, true); break;
      case Step::Kind::give_back: settle(step, false); break;
      case Step::Kind::drop_lease:
        if (!leases_.empty()) drop_lease(step.a % leases_.size());
        break;
      case Step::Kind::revoke:
        if (!leases_.empty()) revoke(leases_[step.a % leases_.size()]);
        break;
      case Step::Kind::stop:
        channel_->stop();
        reopen(Loss::nothing);
        break;
      case Step::Kind::crash:
        die();
        reopen(Loss::nothing);
        break;
      case Step::Kind::power_cut:
        die();
        disk_.power_cut();
        reopen(Loss::unsynced);
        break;
      case Step::Kind::torn_cut:
        die();
        disk_.power_cut_torn(step.a * 1000 + step.b);
        reopen(Loss::unsynced);
        break;
      case Step::Kind::failing_sync:
        faults_.inject({.operation = Operation::sync, .path_contains = "segment-", .times = 1 + step.a % 3});
        store(1 + step.a % 8, step.b);
        faults_.heal();
        revive();
        break;
      case Step::Kind::full_disk:
        disk_.set_capacity(0);
        for (unsigned i = 0; i < 1 + step.a % 5; ++i) store(1 + step.a % 8, 900);
        disk_.set_capacity(std::uint64_t{1} << 40);
        revive();
        break;
      case Step::Kind::house: clock_.advance(std::chrono::seconds(1 + step.a % 40)); break;
    }
    if (certain()) RC_ASSERT(channel_->size() == static_cast<std::int64_t>(inside_.size()));
  }

  /// Everything acknowledged and not committed is there, once, in order; nothing else but what may be.
  void finish() {
    leases_.clear();
    for (const std::size_t number : leased_) ready_.insert(number);
    while (!puts_.empty()) drop_put(0);
    channel_->stop();
    reopen(Loss::nothing);
    std::vector<std::size_t> found;
    for (const std::string& body : testing::drain(*channel_)) found.push_back(number_of(body));
    expect_order(found);
    const std::set<std::size_t> there(found.begin(), found.end());
    RC_ASSERT(there.size() == found.size());
    for (const std::size_t number : ready_) RC_ASSERT(there.contains(number));
    for (const std::size_t number : there) RC_ASSERT(ready_.contains(number) || maybe_.contains(number));
    RC_ASSERT(channel_->size() == 0);
  }

 private:
  enum class Loss { nothing, unsynced };

  struct OpenPut {
    BatchPtr batch;
    std::unique_ptr<Put> put;
    std::size_t first;
  };
  struct OpenLease {
    Lease lease;
    std::vector<std::size_t> numbers;
    std::vector<bool> settled;
    bool revoked = false;
  };

  Settings::Map settings() {
    Settings::Map values = {{"checkpointDir", "/c/checkpoint"},
                            {"dataDirs", "/c/data1,/c/data2"},
                            {"capacity", std::to_string(kCapacity)},
                            {"transactionCapacity", std::to_string(kMaxTake)},
                            {"maxFileSize", "65536"}};
    if (encryption_ == Encryption::none) return values;
    ++lives_;
    values["encryption.keyProvider"] = "ENVIRONMENT";
    values["encryption.keyProvider.keys"] = "a b";
    values["encryption.keyProvider.keys.a.variable"] = "STANDPIPE_MODEL_KEY_A";
    values["encryption.keyProvider.keys.b.variable"] = "STANDPIPE_MODEL_KEY_B";
    const bool second = encryption_ == Encryption::other_key_each_life && lives_ % 2 == 0;
    values["encryption.activeKey"] = second ? "b" : "a";
    return values;
  }

  void open() {
    channel_ =
        kFileChannel.create(Settings::parse(*kFileChannel.info, settings()).value(), environment_.environment).value();
    const Status started = channel_->start();
    RC_ASSERT(started.to_string() == "ok");
  }

  /// The process ends here: nothing that it has open reaches the disk any more.
  void die() {
    for (const Operation operation : {Operation::write, Operation::sync, Operation::truncate, Operation::rename,
                                      Operation::remove, Operation::open}) {
      faults_.inject({.operation = operation});
    }
    leases_.clear();
    puts_.clear();
    channel_.reset();
    faults_.heal();
  }

  void reopen(Loss loss) {
    // What was leased comes again; what was stored and not published was acknowledged by this channel and comes too,
    // or, taken back, does not: a process that dies in between may leave either.
    for (const std::size_t number : leased_) ready_.insert(number);
    leased_.clear();
    for (const OpenPut& open : puts_) forget_put(open);
    for (const std::size_t number : in_puts_) maybe_.insert(number);
    in_puts_.clear();
    leases_.clear();
    puts_.clear();
    if (loss == Loss::unsynced) {
      // The notes of what was committed since their last sync are gone.
      for (const std::size_t number : unsynced_commits_) maybe_.insert(number);
    }
    if (channel_ != nullptr) channel_.reset();
    open();
    unsynced_commits_.clear();
    inside_.clear();
  }

  void revive() {
    // The writers look every second whether their disk works again.
    RC_ASSERT(testing::eventually([&] {
      clock_.advance(std::chrono::seconds(1));
      auto put = channel_->reserve(Batch());
      return put.ok();
    }));
  }

  bool certain() const { return maybe_.empty() && !reopened(); }
  bool reopened() const { return inside_.size() != ready_.size() + leased_.size() + in_puts_.size(); }

  bool store(std::size_t events, unsigned size) {
    Batch made;
    const std::size_t first = next_;
    for (std::size_t i = 0; i < events; ++i)
      made.add_copy(std::to_string(first + i) + " " + std::string(size * 10, 'x'));
    const BatchPtr batch = std::make_shared<const Batch>(std::move(made));
    auto put = channel_->reserve(*batch);
    if (!put.ok()) {
      const Code code = put.status().code();
      RC_ASSERT(code == Code::full || code == Code::io);
      return false;
    }
    next_ += events;
    const Status status = (*put)->store(batch).wait();
    for (std::size_t i = first; i < first + events; ++i) (status.ok() ? in_puts_ : maybe_).insert(i);
    if (!status.ok()) return false;
    for (std::size_t i = first; i < first + events; ++i) inside_.insert(i);
    puts_.push_back({batch, std::move(*put), first});
    return true;
  }

  void forget_put(const OpenPut& open) {
    for (std::size_t i = open.first; i < open.first + open.batch->size(); ++i) {
      in_puts_.erase(i);
      inside_.erase(i);
      maybe_.insert(i);
    }
  }

  void publish(std::size_t index) {
    OpenPut& open = puts_[index];
    open.put->publish();
    for (std::size_t i = open.first; i < open.first + open.batch->size(); ++i) {
      in_puts_.erase(i);
      ready_.insert(i);
    }
    puts_.erase(puts_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  void drop_put(std::size_t index) {
    forget_put(puts_[index]);
    puts_.erase(puts_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  void take(std::size_t events) {
    auto taken = channel_->take(events);
    RC_ASSERT(taken.ok());
    OpenLease open;
    for (std::size_t i = 0; i < taken->size(); ++i) open.numbers.push_back(number_of((*taken)[i].body));
    expect_order(open.numbers);
    // The lowest that are surely there, unless some that may be there come between.
    for (const std::size_t number : open.numbers) {
      RC_ASSERT(ready_.contains(number) || maybe_.contains(number));
      if (ready_.contains(number)) RC_ASSERT(number == *ready_.begin());
      ready_.erase(number);
      maybe_.erase(number);
      leased_.insert(number);
    }
    RC_ASSERT(open.numbers.size() == std::min(events, kMaxTake) || ready_.empty());
    open.settled.assign(open.numbers.size(), false);
    open.lease = std::move(*taken);
    if (!open.numbers.empty()) leases_.push_back(std::move(open));
  }

  static void expect_order(const std::vector<std::size_t>& numbers) {
    RC_ASSERT(std::is_sorted(numbers.begin(), numbers.end()));
  }

  void settle(const Step& step, bool commit) {
    if (leases_.empty()) return;
    OpenLease& open = leases_[step.a % leases_.size()];
    const std::size_t size = open.numbers.size();
    const std::size_t first = step.b % (size + 1);
    const std::size_t last = first + (step.a / 7) % (size - first + 1);
    if (commit) {
      RC_ASSERT(open.lease.commit(first, last).code() == (open.revoked ? Code::fenced : Code::ok));
    } else {
      open.lease.give_back(first, last);
    }
    if (!open.revoked) settle_in_model(open, first, last, commit);
  }

  void settle_in_model(OpenLease& open, std::size_t first, std::size_t last, bool commit) {
    for (std::size_t i = first; i < last; ++i) {
      if (open.settled[i]) continue;
      open.settled[i] = true;
      leased_.erase(open.numbers[i]);
      if (commit) {
        inside_.erase(open.numbers[i]);
        unsynced_commits_.insert(open.numbers[i]);
      } else {
        ready_.insert(open.numbers[i]);
      }
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

  const Encryption encryption_;
  std::size_t lives_ = 0;
  MemoryFileSystem disk_;
  FaultyFileSystem faults_{disk_};
  VirtualClock clock_;
  testing::TestEnvironment environment_{"c1", clock_, faults_};
  std::unique_ptr<Channel> channel_;
  std::size_t next_ = 0;
  std::set<std::size_t> ready_;             // acknowledged, published, to be taken
  std::set<std::size_t> leased_;            // in open leases
  std::set<std::size_t> in_puts_;           // acknowledged, not published
  std::set<std::size_t> maybe_;             // may be there or not: never acknowledged, or committed before a power cut
  std::set<std::size_t> inside_;            // what size() counts, as long as that is certain
  std::set<std::size_t> unsynced_commits_;  // committed in this life
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
                 gen::element(Kind::put, Kind::put, Kind::put, Kind::put, Kind::put, Kind::store, Kind::publish,
                              Kind::drop_put, Kind::take, Kind::take, Kind::take, Kind::commit, Kind::commit,
                              Kind::commit, Kind::give_back, Kind::drop_lease, Kind::revoke, Kind::stop, Kind::crash,
                              Kind::power_cut, Kind::torn_cut, Kind::failing_sync, Kind::full_disk, Kind::house)),
        gen::set(&standpipe::Step::a, gen::inRange(0u, 1000u)), gen::set(&standpipe::Step::b, gen::inRange(0u, 1000u)));
  }
};
}  // namespace rc

namespace standpipe {
namespace {

TEST(FileChannelModel, BehavesAsAPlainQueueThatSurvives) {
  ::setenv("RC_PARAMS", "max_success=1000", 0);  // a seed given from outside stays
  ::setenv("STANDPIPE_MODEL_KEY_A", std::string(64, 'a').c_str(), 1);
  ::setenv("STANDPIPE_MODEL_KEY_B", std::string(64, 'b').c_str(), 1);
  const bool held = rc::check("the channel and the model agree after every step", [] {
    const auto size = *rc::gen::inRange(1, 220);
    const auto steps =
        *rc::gen::container<std::vector<Step>>(static_cast<std::size_t>(size), rc::gen::arbitrary<Step>());
    const auto encryption =
        *rc::gen::element(Encryption::none, Encryption::none, Encryption::one_key, Encryption::other_key_each_life);
    World world(encryption);
    for (const Step& step : steps) world.run(step);
    world.finish();
  });
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace standpipe
