#include "config/known/known.h"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "config/known/reference_rows.h"
#include "standpipe/settings.h"

namespace standpipe {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;

std::string label(const ComponentInfo& info) {
  return std::string(to_string(info.kind)) + " " + std::string(info.name);
}

void expect_sound(const Option& option, const std::string& where) {
  SCOPED_TRACE(where + " " + std::string(option.name));
  EXPECT_FALSE(option.name.empty());
  EXPECT_FALSE(option.help.empty());
  EXPECT_LE(option.min, option.max);
  if (!option.fallback.empty()) {
    EXPECT_TRUE(check_value(option, option.fallback).ok()) << check_value(option, option.fallback).message();
  }
  if (option.kind == Kind::choice || option.kind == Kind::type) {
    EXPECT_FALSE(option.choices.empty());
  }
  if (option.kind == Kind::duration) {
    EXPECT_TRUE(option.unit == "ms" || option.unit == "s");
  }
}

/// Every name and alias once: a second one could never be reached.
void expect_unique(std::span<const Option> options, const std::string& where) {
  std::set<std::string_view> seen;
  for (const Option& option : options) {
    EXPECT_TRUE(seen.insert(option.name).second) << where << " " << option.name;
    for (const std::string_view alias : split(option.aliases, ' ')) {
      EXPECT_TRUE(seen.insert(alias).second) << where << " " << alias;
    }
  }
}

/// An exact name is found before a pattern, but of two patterns the first wins, so the narrow one must stand first.
void expect_reachable(const ComponentInfo& info) {
  for (const Option& option : info.options) {
    std::string key(option.name);
    for (auto at = key.find('*'); at != std::string::npos; at = key.find('*')) key.replace(at, 1, "x");
    EXPECT_EQ(find_option(info, key), &option) << label(info) << " " << option.name;
  }
}

TEST(KnownTest, EveryTableIsSound) {
  for (const ComponentInfo* info : known_components()) {
    EXPECT_FALSE(info->summary.empty()) << label(*info);
    EXPECT_FALSE(info->class_names.empty()) << label(*info);
    EXPECT_EQ(info->name, to_lower(info->name));
    for (const Option& option : info->options) expect_sound(option, label(*info));
    expect_unique(info->options, label(*info));
    expect_reachable(*info);
    if (info->batch_option.empty()) continue;
    EXPECT_NE(find_option(*info, info->batch_option), nullptr) << label(*info);
  }
  for (const PropertyGroup& group : property_groups()) {
    for (const Option& option : group.options) expect_sound(option, std::string(group.name));
    expect_unique(group.options, std::string(group.name));
  }
}

TEST(KnownTest, NamesAndClassesAreUniqueWithinAKind) {
  std::set<std::pair<ComponentKind, std::string_view>> seen;
  for (const ComponentInfo* info : known_components()) {
    EXPECT_TRUE(seen.emplace(info->kind, info->name).second) << label(*info);
    for (const std::string_view name : info->class_names) {
      EXPECT_TRUE(seen.emplace(info->kind, name).second) << label(*info) << " " << name;
    }
  }
}

TEST(KnownTest, OnlyConfigFiltersAreBuilt) {
  std::set<std::string> built;
  for (const ComponentInfo* info : known_components()) {
    if (info->built) built.insert(label(*info));
  }
  EXPECT_THAT(built, testing::UnorderedElementsAre("config filter env", "config filter external"));
}

/// A nested component named by a default must exist, or the default itself would be an unknown type.
TEST(KnownTest, DefaultsOfNestedTypesAreKnown) {
  for (const ComponentInfo* info : known_components()) {
    for (const Option& option : info->options) {
      if (option.kind != Kind::type || option.fallback.empty()) continue;
      const auto kind = option.choices == "handler" ? ComponentKind::handler : ComponentKind::serializer;
      EXPECT_NE(find_component(known_components(), kind, option.fallback), nullptr) << label(*info) << option.name;
    }
  }
}

TEST(KnownTest, SecretsAreSecret) {
  for (const ComponentInfo* info : known_components()) {
    for (const Option& option : info->options) {
      const bool file = option.name.ends_with("File");
      if (to_lower(option.name).find("password") == std::string::npos || file) continue;
      if (option.name.starts_with("credstore.") || option.name.ends_with(".passwordFile")) continue;
      EXPECT_EQ(option.kind, Kind::secret) << label(*info) << " " << option.name;
    }
  }
}

TEST(KnownTest, OldKafkaKeysMeanTheNewOnes) {
  const ComponentInfo* sink =
      find_component(known_components(), ComponentKind::sink, "org.apache.flume.sink.kafka.KafkaSink");
  ASSERT_NE(sink, nullptr);
  EXPECT_EQ(find_option(*sink, "brokerList")->name, "kafka.bootstrap.servers");
  EXPECT_EQ(find_option(*sink, "batchSize")->name, "flumeBatchSize");
  EXPECT_EQ(find_option(*sink, "kafka.flumeBatchSize"), nullptr);
  EXPECT_FALSE(find_option(*sink, "serializer.class")->no_effect.empty());
  EXPECT_EQ(find_option(*sink, "kafka.producer.linger.ms")->name, "kafka.producer.*");
}

TEST(KnownTest, ChannelAndSinkKeysAreSharedNotRepeated) {
  for (const ComponentInfo* info : known_components()) {
    for (const Option& option : shared_options(info->kind)) {
      if (!option.required && option.name != "type") continue;
      EXPECT_EQ(find_option(*info, option.name), nullptr) << label(*info) << " " << option.name;
    }
  }
}

TEST(KnownTest, TheRowCheckSeesWhatIsMissing) {
  const ReferenceRow known{"f", 1, "sink", "irc", "org.apache.flume.sink.irc.IRCSink", "nick"};
  EXPECT_TRUE(check_reference_row(known_components(), known).ok());
  ReferenceRow row = known;
  row.property = "nickname";
  EXPECT_FALSE(check_reference_row(known_components(), row).ok());
  row = known;
  row.type = "org.apache.flume.sink.IRCSink";
  EXPECT_FALSE(check_reference_row(known_components(), row).ok());
  row = known;
  row.alias = "icq";
  EXPECT_FALSE(check_reference_row(known_components(), row).ok());
}

}  // namespace
}  // namespace standpipe
