#include "sources/taildir/position_file.h"

#include <gtest/gtest.h>

namespace standpipe::taildir {
namespace {

TEST(PositionFile, IsFlumesTextToTheByte) {
  EXPECT_EQ(format_positions({}), "");
  EXPECT_EQ(
      format_positions({{2496272, 12, "/var/log/test1/example.log"}, {2496275, 0, "/var/log/a.log"}}),
      R"([{"inode":2496272,"pos":12,"file":"/var/log/test1/example.log"},{"inode":2496275,"pos":0,"file":"/var/log/a.log"}])");
}

TEST(PositionFile, EscapesAsGsonDoes) {
  EXPECT_EQ(
      format_positions({{1, 2, "/a=b<c>d&e'f\"g\\h\ti\nj\x01k"}}),
      "[{\"inode\":1,\"pos\":2,\"file\":\"/a\\u003db\\u003cc\\u003ed\\u0026e\\u0027f\\\"g\\\\h\\ti\\nj\\u0001k\"}]");
  EXPECT_EQ(format_positions({{1, 2, "/\xC3\xA9\xE2\x80\xA8\xF0\x9F\x98\x80"}}),
            "[{\"inode\":1,\"pos\":2,\"file\":\"/\xC3\xA9\\u2028\xF0\x9F\x98\x80\"}]");
  EXPECT_EQ(format_positions({{1, 2,
                               "/a\xFF"
                               "b"}}),
            "[{\"inode\":1,\"pos\":2,\"file\":\"/a\xEF\xBF\xBD"
            "b\"}]");
}

TEST(PositionFile, ReadsWhatItWroteAndAnyOrder) {
  const std::vector<Position> positions = {{18446744073709551615u, 9007199254740993u, "/x/'=\"\\\n\xE2\x80\xA9"},
                                           {5, 0, "/y"}};
  const auto read = parse_positions(format_positions(positions));
  ASSERT_TRUE(read.ok()) << read.status().to_string();
  EXPECT_EQ(*read, positions);
  const auto other = parse_positions(R"( [ {"file":"/x", "more":[1], "pos":7, "inode":3} ] )");
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(*other, (std::vector<Position>{{3, 7, "/x"}}));
  EXPECT_TRUE(parse_positions("\n").ok());
}

TEST(PositionFile, RefusesDamage) {
  for (const char* text :
       {"[{\"inode\":1,\"pos\":2", "{}", "[1]", "[{\"inode\":1,\"pos\":2}]",
        "[{\"inode\":-1,\"pos\":2,\"file\":\"/x\"}]", "[{\"inode\":\"1\",\"pos\":2,\"file\":\"/x\"}]", "xyz"}) {
    EXPECT_EQ(parse_positions(text).status().code(), Code::corrupt) << text;
  }
}

TEST(Knowledge, ReadsWhatItWrote) {
  const KnowledgeFile entries = {
      1,
      18446744073709551615u,
      {{64768, 12, 700, 900, Fingerprint::of("head"), Fingerprint::of("tail"), false, "/a=1"},
       {1, 2, 0, 0, {}, {}, true, "/b"}}};
  const auto read = parse_knowledge(format_knowledge(entries));
  ASSERT_TRUE(read.ok()) << read.status().to_string();
  EXPECT_EQ(*read, entries);
}

TEST(Knowledge, RefusesFingerprintsThatCannotBe) {
  std::string text = format_knowledge({0, 0, {{1, 2, 10, 10, {}, {11, 5}, false, "/b"}}});
  EXPECT_EQ(parse_knowledge(text).status().code(), Code::corrupt);
  text = format_knowledge({0, 0, {{1, 2, 10, 10, {100000, 5}, {}, false, "/b"}}});
  EXPECT_EQ(parse_knowledge(text).status().code(), Code::corrupt);
}

}  // namespace
}  // namespace standpipe::taildir
