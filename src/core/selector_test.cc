#include "core/selector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/engine_parts.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::numbered_ptr;

const std::vector<std::string> kChannels = {"c1", "c2", "c3"};

class SelectorTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Selector>> make(std::string_view type, Settings::Map values) {
    const ComponentInfo& info = *find_component(selector_infos(), ComponentKind::selector, type);
    return make_selector(Settings::parse(info, std::move(values)).value(), kChannels, world_.environment);
  }

  /// "c1: 0 2", "c3?: 1" (optional).
  std::vector<std::string> route(Selector& selector, const BatchPtr& batch) {
    std::vector<Route> routes;
    selector.route(batch, routes);
    std::vector<std::string> result;
    for (const Route& route : routes) {
      std::string text = kChannels[route.channel] + (route.required ? ":" : "?:");
      for (std::size_t i = 0; i < route.batch->size(); ++i) text += " " + std::string((*route.batch)[i].body);
      result.push_back(text);
      shared_ = shared_ && route.batch == batch;
    }
    return result;
  }

  /// One event per value of header "type"; an empty value: no header.
  static BatchPtr typed(const std::vector<std::string>& values) {
    auto batch = std::make_shared<Batch>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto block = values[i].empty() ? Batch::kNoHeaders : batch->add_headers({{"type", values[i]}});
      batch->add_copy(std::to_string(i), block);
    }
    return batch;
  }

  testing::TestEnvironment world_{"r1"};
  bool shared_ = true;  // every route so far was the batch itself
};

TEST_F(SelectorTest, ReplicatingSharesTheBatchWithEveryChannel) {
  auto selector = make("replicating", {{"optional", "c2"}}).value();
  EXPECT_THAT(route(*selector, numbered_ptr(0, 2)), ElementsAre("c1: 0 1", "c3: 0 1", "c2?: 0 1"));
  EXPECT_TRUE(shared_);
  EXPECT_FALSE(selector->may_require(1));
  EXPECT_FALSE(selector->only_channel().has_value());
  EXPECT_EQ(make_replicating_selector(1)->only_channel(), 0u);
}

TEST_F(SelectorTest, AnUnknownChannelIsNamedWithTheWayOut) {
  EXPECT_THAT(make("replicating", {{"optional", "c9"}}).status().message(),
              HasSubstr("selector.optional names channel c9, which is not among the source's channels (c1 c2 c3)"));
  EXPECT_EQ(make("multiplexing", {{"mapping.a", "c1 cx"}}).status().code(), Code::invalid);
  EXPECT_EQ(make("multiplexing", {{"default", "cx"}}).status().code(), Code::invalid);
}

TEST_F(SelectorTest, MultiplexingRoutesByExactValue) {
  auto selector = make("multiplexing", {{"header", "type"},
                                        {"mapping.a", "c1"},
                                        {"mapping.b.c", "c2 c3"},
                                        {"optional.a", "c3 c1"},
                                        {"optional.new", "c3"},
                                        {"default", "c2"}})
                      .value();
  EXPECT_THAT(route(*selector, typed({"a", "b.c", "A", "", " ", "new", "a"})),
              ElementsAre("c1: 0 6", "c2: 1 2 3 4 5", "c3: 1", "c3?: 0 5 6"));
  EXPECT_EQ(world_.count(counter_names::kEventsUnrouted), 0);
}

TEST_F(SelectorTest, MultiplexingSharesABatchThatGoesOneWay) {
  auto selector = make("multiplexing", {{"header", "type"}, {"mapping.a", "c1 c2"}, {"default", "c3"}}).value();
  EXPECT_THAT(route(*selector, typed({"a", "a"})), ElementsAre("c1: 0 1", "c2: 0 1"));
  EXPECT_THAT(route(*selector, typed({"x", "y"})), ElementsAre("c3: 0 1"));
  EXPECT_TRUE(shared_);
}

TEST_F(SelectorTest, WhatMatchesNothingIsDroppedCountedAndLoggedOnce) {
  auto selector = make("multiplexing", {{"header", "type"}, {"mapping.a", "c1"}}).value();
  EXPECT_THAT(route(*selector, typed({"a", "x", ""})), ElementsAre("c1: 0"));
  EXPECT_THAT(route(*selector, typed({"x"})), IsEmpty());
  EXPECT_EQ(world_.count(counter_names::kEventsUnrouted), 3);
  ASSERT_EQ(world_.log.lines().size(), 1u);
  EXPECT_THAT(world_.log.lines()[0], HasSubstr("dropped 2 events"));
}

TEST_F(SelectorTest, TheDefaultHeaderIsFlumes) {
  auto selector = make("multiplexing", {{"mapping.a", "c1"}}).value();
  Batch batch;
  batch.add_copy("0", batch.add_headers({{"flume.selector.header", "a"}}));
  EXPECT_THAT(route(*selector, std::make_shared<const Batch>(std::move(batch))), ElementsAre("c1: 0"));
}

TEST_F(SelectorTest, RoundRobinGoesOnFromBatchToBatch) {
  auto selector = make("load_balancing", {}).value();
  EXPECT_THAT(route(*selector, numbered_ptr(0, 4)), ElementsAre("c1: 0 3", "c2: 1", "c3: 2"));
  EXPECT_THAT(route(*selector, numbered_ptr(4, 2)), ElementsAre("c2: 4", "c3: 5"));
}

TEST_F(SelectorTest, RandomGivesEveryEventToOneChannel) {
  auto selector = make("load_balancing", {{"policy", "RANDOM"}}).value();
  std::vector<Route> routes;
  selector->route(numbered_ptr(0, 3000), routes);
  ASSERT_EQ(routes.size(), 3u);
  std::size_t total = 0;
  for (const Route& route : routes) {
    EXPECT_GT(route.batch->size(), 700u);
    total += route.batch->size();
  }
  EXPECT_EQ(total, 3000u);
}

}  // namespace
}  // namespace standpipe
