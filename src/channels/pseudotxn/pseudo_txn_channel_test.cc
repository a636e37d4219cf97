#include "channels/pseudotxn/pseudo_txn_channel.h"

#include "contract/channel_contract.h"

namespace standpipe::testing {
namespace {

std::unique_ptr<Channel> make(std::int64_t capacity, Environment& environment) {
  auto settings = Settings::parse(*kPseudoTxnChannel.info, {{"capacity", std::to_string(capacity)}});
  return kPseudoTxnChannel.create(settings.value(), environment).value();
}

INSTANTIATE_TEST_SUITE_P(PseudoTxn, ChannelContract,
                         ::testing::Values(ChannelUnderTest{.make = make, .transactional = false}));

TEST(PseudoTxnChannel, WhatIsTakenIsGone) {
  TestEnvironment world("c1");
  auto channel = make(50, world.environment);
  ASSERT_TRUE(channel->start().ok());
  ASSERT_TRUE(put(*channel, numbered_ptr(0, 10)).ok());
  { Lease dropped = channel->take(4).value(); }
  EXPECT_EQ(channel->size(), 6);
  EXPECT_EQ(drain(*channel), numbers(4, 6));
}

}  // namespace
}  // namespace standpipe::testing
