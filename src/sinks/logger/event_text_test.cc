#include "sinks/logger/event_text.h"

#include <gmock/gmock.h>

namespace standpipe {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> lines_of(std::string_view body, std::size_t max_bytes = 16, Headers headers = {}) {
  return event_lines({body, &headers}, max_bytes);
}

TEST(EventText, ShowsAShortBodyAsFlumeDoes) {
  EXPECT_THAT(lines_of("Hello"),
              ElementsAre("{ headers:{} body: 48 65 6C 6C 6F                                  Hello }"));
}

TEST(EventText, PrintsNothingForAnEmptyBody) { EXPECT_THAT(lines_of(""), ElementsAre("{ headers:{} body: }")); }

TEST(EventText, FillsARowExactly) {
  EXPECT_THAT(lines_of("0123456789abcdef"),
              ElementsAre("{ headers:{} body: 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66 0123456789abcdef }"));
}

TEST(EventText, CutsAtTheLimit) {
  EXPECT_THAT(lines_of("0123456789", 3),
              ElementsAre("{ headers:{} body: 30 31 32                                        012 }"));
}

TEST(EventText, PutsOffsetsBeforeLaterRows) {
  const std::string body(33, 'x');
  const std::string row = "78 78 78 78 78 78 78 78 78 78 78 78 78 78 78 78 xxxxxxxxxxxxxxxx";
  EXPECT_THAT(lines_of(body, 100), ElementsAre("{ headers:{} body: " + row, "00000010 " + row,
                                               "00000020 78                                              x }"));
}

TEST(EventText, ShowsWhatCantBePrintedAsDots) {
  const std::vector<std::string> lines = lines_of(std::string_view("\r\n\0\x7f\xff~ ", 7));
  EXPECT_TRUE(lines[0].ends_with(" .....~  }")) << lines[0];
  EXPECT_TRUE(lines[0].starts_with("{ headers:{} body: 0D 0A 00 7F FF 7E 20 ")) << lines[0];
}

// The expected orders were printed by a JVM's HashMap.
TEST(EventText, ListsHeadersInTheOrderOfAHashMap) {
  const Headers headers{
      {"b", "2"}, {"a", "1"}, {"k", "v"}};  // single letters hash to themselves: 'k' is 107 = 11 mod 16
  EXPECT_EQ(lines_of("", 16, headers)[0], "{ headers:{a=1, b=2, k=v} body: }");
  const Headers wrapped{{"p", "1"}, {"o", "2"}};  // 'o' is bucket 15, 'p' wraps to bucket 0
  EXPECT_EQ(lines_of("", 16, wrapped)[0], "{ headers:{p=1, o=2} body: }");
}

TEST(EventText, GrowsTheTableAsAHashMapDoes) {
  Headers headers;
  for (char c = 'a'; c <= 'm'; ++c) headers.set(std::string(1, c), "");  // 13 entries: 32 buckets
  headers.set("p", "");                                                  // 112 = 16 mod 32: behind 'm' (109 = 13)
  EXPECT_EQ(lines_of("", 16, headers)[0], "{ headers:{a=, b=, c=, d=, e=, f=, g=, h=, i=, j=, k=, l=, m=, p=} body: }");
}

TEST(EventText, HashesWhatLiesOutsideTheBasicPlaneAsTwoUnits) {
  // U+1F600 is D83D DE00: hash 31 * 0xD83D + 0xDE00 = 0x1B0D63, spread ^ 0x1B -> bucket 8.
  const Headers headers{{"\xF0\x9F\x98\x80", "1"}, {"i", "1"},   {"g", "1"},    {"basename", "1"}, {"file", "1"},
                        {"timestamp", "1"},        {"key", "1"}, {"topic", "1"}};
  EXPECT_EQ(lines_of("", 16, headers)[0],
            "{ headers:{basename=1, file=1, g=1, \xF0\x9F\x98\x80=1, i=1, topic=1, key=1, timestamp=1} body: }");
}

}  // namespace
}  // namespace standpipe
