#include "standpipe/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace standpipe {
namespace {

TEST(Batch, SharesOneHeaderBlockAmongEventsOfOneFile) {
  Batch batch;
  const auto block = batch.add_headers(Headers{{"file", "/a"}});
  batch.add_copy("one", block);
  batch.add_copy("two", block);
  EXPECT_EQ(batch[0].headers, batch[1].headers);
  EXPECT_EQ(batch[0].body, "one");
  EXPECT_EQ(batch.bytes(), 6 + 2 * 6u);
}

TEST(Batch, ChangingHeadersCopiesSharedBlocks) {
  const auto shared = std::make_shared<const Headers>(Headers{{"a", "1"}});
  Batch batch;
  batch.add_copy("x", batch.add_headers(shared));
  batch.add_copy("y");
  batch.change_headers([](Headers& headers) { headers.set("b", "2"); });
  EXPECT_EQ(*batch[0].headers, (Headers{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(*batch[1].headers, (Headers{{"b", "2"}}));
  EXPECT_EQ(*shared, (Headers{{"a", "1"}}));
}

TEST(Batch, SurvivorsThatUseLittleOfASlabAreCopiedOut) {
  MemoryBudget budget(1 << 20);
  auto slab = Slab::make(1000, &budget);
  std::fill_n(slab->data(), 1000, 'x');
  Batch batch;
  batch.pin(slab);
  for (int i = 0; i < 10; ++i) batch.add({slab->data() + i * 100, 100});
  slab.reset();
  batch.keep_if([](std::size_t index) { return index == 3; });
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_EQ(batch[0].body, std::string(100, 'x'));
  EXPECT_EQ(budget.used(), 100u);
}

TEST(Batch, SubsetKeepsBodiesAliveWithoutTheOriginal) {
  Batch part;
  {
    Batch batch;
    const auto block = batch.add_headers(Headers{{"k", "v"}});
    batch.add_copy("first");
    batch.add_copy("second", block);
    part = batch.subset({1});
  }
  ASSERT_EQ(part.size(), 1u);
  EXPECT_EQ(part[0].body, "second");
  EXPECT_EQ(part[0].headers->get("k"), "v");
}

TEST(Batch, ASmallSubsetPinsOnlyItself) {
  MemoryBudget budget(1 << 20);
  Batch part;
  std::weak_ptr<const Headers> headers;
  {
    auto slab = Slab::make(1000, &budget);
    std::fill_n(slab->data(), 1000, 'x');
    auto block = std::make_shared<const Headers>(Headers{{"k", "v"}});
    headers = block;
    Batch batch;
    batch.pin(slab);
    batch.add_headers(std::move(block));
    for (int i = 0; i < 10; ++i) batch.add({slab->data() + i * 100, 100}, batch.last_block());
    part = batch.subset({3, 4});
  }
  EXPECT_EQ(budget.used(), 200u) << "what it copied is charged, the rest is not held";
  EXPECT_TRUE(headers.expired());
  ASSERT_EQ(part.size(), 2u);
  EXPECT_EQ(part[1].body, std::string(100, 'x'));
  EXPECT_EQ(part[0].headers->get("k"), "v");
  EXPECT_EQ(part.block_of(0), part.block_of(1));
}

TEST(Batch, IsChargedForItsRowsAndHeaders) {
  MemoryBudget budget(1 << 20);
  {
    Batch part;
    {
      Batch batch;
      for (int i = 0; i < 1000; ++i) batch.add_copy("", batch.add_headers(Headers{{"k", "value of this event"}}));
      const std::uint64_t before = budget.used();
      batch.charge_to(budget);
      EXPECT_GT(budget.used() - before, 1000 * (sizeof("value of this event") + 16));
      part = batch.subset({1});
    }
    EXPECT_GT(budget.used(), 1000 * sizeof("value of this event")) << "the part keeps the headers";
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(MemoryBudget, KeepsAShareForWhatDrains) {
  MemoryBudget budget(1000, 25);
  EXPECT_TRUE(budget.try_charge(750, MemoryBudget::Use::intake));
  EXPECT_FALSE(budget.try_charge(1, MemoryBudget::Use::intake));
  EXPECT_TRUE(budget.try_charge(250, MemoryBudget::Use::drain));
  EXPECT_FALSE(budget.try_charge(1, MemoryBudget::Use::drain));
}

TEST(Batch, SharesItsEventsWithACopyThatChangesAlone) {
  Batch batch;
  batch.add_copy("one", batch.add_headers(Headers{{"k", "v"}}));
  Batch copy = batch.share();
  copy.change_headers([](Headers& headers) { headers.set("k", "changed"); });
  copy.add_copy("two");
  batch.add_copy("three");
  ASSERT_EQ(batch.size(), 2u);
  EXPECT_EQ(batch[0].headers->get("k"), "v");
  EXPECT_EQ(batch[1].body, "three");
  EXPECT_EQ(copy[0].body.data(), batch[0].body.data());
  EXPECT_EQ(copy[0].headers->get("k"), "changed");
  EXPECT_EQ(copy[1].body, "two");
}

}  // namespace
}  // namespace standpipe
