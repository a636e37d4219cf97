#include "standpipe/lease.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "standpipe/receipt.h"

namespace standpipe {
namespace {

using ::testing::ElementsAre;
using Range = std::pair<std::size_t, std::size_t>;

struct Record {
  std::vector<Range> committed;
  std::vector<Range> returned;
};

class RecordingBackend final : public LeaseBackend {
 public:
  explicit RecordingBackend(Record& record) : record_(record) {}
  Status commit(std::size_t first, std::size_t last) override {
    record_.committed.emplace_back(first, last);
    return {};
  }
  void give_back(std::size_t first, std::size_t last) override { record_.returned.emplace_back(first, last); }

 private:
  Record& record_;
};

Lease lease_of(std::size_t events, Record& record) {
  auto batch = std::make_shared<Batch>();
  for (std::size_t i = 0; i < events; ++i) batch->add_copy(std::to_string(i));
  return Lease({{batch, 0, events / 2}, {batch, events / 2, events - events / 2}},
               std::make_unique<RecordingBackend>(record));
}

TEST(Lease, ReadsAcrossSpans) {
  Record record;
  const Lease lease = lease_of(5, record);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(lease[i].body, std::to_string(i));
  EXPECT_EQ(lease[1].body, "1");
}

TEST(Lease, GivesBackWhatWasNotSettled) {
  Record record;
  {
    Lease lease = lease_of(10, record);
    EXPECT_TRUE(lease.commit(2, 4).ok());
    EXPECT_EQ(lease.unsettled(), 8u);
  }
  EXPECT_THAT(record.committed, ElementsAre(Range(2, 4)));
  EXPECT_THAT(record.returned, ElementsAre(Range(0, 2), Range(4, 10)));
}

TEST(Lease, SettlesNoPositionTwice) {
  Record record;
  Lease lease = lease_of(10, record);
  EXPECT_TRUE(lease.commit(0, 5).ok());
  EXPECT_TRUE(lease.commit().ok());
  lease.give_back();
  EXPECT_THAT(record.committed, ElementsAre(Range(0, 5), Range(5, 10)));
  EXPECT_THAT(record.returned, ElementsAre());
}

TEST(Lease, RefusesACommitAfterItWasRevoked) {
  Record record;
  Lease lease = lease_of(4, record);
  auto fence = lease.fence();
  EXPECT_TRUE(lease.commit(0, 1).ok());
  EXPECT_EQ(fence.revoke(), 3u);
  EXPECT_EQ(lease.commit().code(), Code::fenced);
  EXPECT_THAT(record.returned, ElementsAre(Range(1, 4)));
  EXPECT_TRUE(fence.settled());
  EXPECT_EQ(fence.refused(), 3u) << "what was committed before, and a second attempt, are not counted";
  EXPECT_EQ(lease.commit().code(), Code::fenced);
  EXPECT_EQ(fence.refused(), 3u);
}

TEST(Lease, MovedFromLeaseIsEmpty) {
  Record record;
  Lease lease = lease_of(4, record);
  Lease other = std::move(lease);
  EXPECT_TRUE(lease.empty());
  EXPECT_TRUE(other.commit().ok());
  EXPECT_THAT(record.returned, ElementsAre());
}

TEST(Receipt, CompletesCallbacksAndWaiters) {
  ReceiptPromise promise;
  Receipt receipt = promise.receipt();
  EXPECT_FALSE(receipt.ready());
  promise.complete({Code::full, "no room"});
  EXPECT_EQ(receipt.wait().code(), Code::full);
  Code seen = Code::ok;
  std::move(receipt).then_inline([&](const Status& status) { seen = status.code(); });
  EXPECT_EQ(seen, Code::full);
}

TEST(Receipt, ADroppedPromiseCompletesAsStopped) {
  Receipt receipt = ReceiptPromise().receipt();
  EXPECT_EQ(receipt.wait().code(), Code::stopped);
}

}  // namespace
}  // namespace standpipe
