#include "standpipe/headers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace standpipe {
namespace {

std::vector<std::string> names(const Headers& headers) {
  std::vector<std::string> result;
  for (const auto& [name, value] : headers) result.emplace_back(name);
  return result;
}

TEST(Headers, AreOrderedByNameWhateverTheOrderTheyCameIn) {
  Headers headers;
  for (const char* name : {"b", "d", "a", "c", "b"}) headers.set(name, "x");
  EXPECT_THAT(names(headers), ::testing::ElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(headers, (Headers{{"a", "x"}, {"b", "x"}, {"c", "x"}, {"d", "x"}}));
}

TEST(Headers, BytesAreThoseOfNamesAndValuesThatAreThere) {
  Headers headers;
  EXPECT_EQ(headers.bytes(), 0u);
  headers.set("host", "web07");
  headers.set("a", "1");
  EXPECT_EQ(headers.bytes(), 11u);
  headers.set("host", "w");
  EXPECT_EQ(headers.bytes(), 7u);
  EXPECT_EQ(Headers(headers, 1, std::pmr::get_default_resource()).bytes(), 7u);
  EXPECT_TRUE(headers.erase("host"));
  EXPECT_FALSE(headers.erase("host"));
  EXPECT_EQ(headers.bytes(), 2u);
}

TEST(Headers, AreFoundByTheirWholeName) {
  const Headers headers{{"status", "200"}, {"state", ""}};
  EXPECT_EQ(headers.get("status"), "200");
  EXPECT_EQ(headers.get("state"), "");
  EXPECT_EQ(headers.get("stat"), std::nullopt);
}

}  // namespace
}  // namespace standpipe
