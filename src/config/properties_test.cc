#include "config/properties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace standpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<PropertyLine> parse(std::string_view text, Diagnostics& diagnostics) {
  return parse_properties(text, 0, "t.conf", diagnostics);
}

/// "key|value" of each line; fails the test when anything was reported.
std::vector<std::string> pairs(std::string_view text) {
  Diagnostics diagnostics;
  std::vector<std::string> found;
  for (const PropertyLine& line : parse(text, diagnostics)) found.push_back(line.key + "|" + line.value);
  EXPECT_THAT(diagnostics, IsEmpty());
  return found;
}

TEST(Properties, SeparatorsAsInJava) {
  EXPECT_THAT(pairs("a=1\nb:2\nc 3\nd = 4\ne\t:\t5\nf  =  = 6\ng\nh=\n  i\f= 7 \n"),
              ElementsAre("a|1", "b|2", "c|3", "d|4", "e|5", "f|= 6", "g|", "h|", "i|7 "));
}

TEST(Properties, LineEndsOfEveryKind) {
  EXPECT_THAT(pairs("a=1\rb=2\r\nc=3\n\r\n\rd=4"), ElementsAre("a|1", "b|2", "c|3", "d|4"));
}

TEST(Properties, CommentsEndWithTheirLineEvenWithABackslash) {
  EXPECT_THAT(pairs("# one\\\na=1\n  ! two\nb=#3\n"), ElementsAre("a|1", "b|#3"));
}

TEST(Properties, ContinuationDropsLeadingBlanks) {
  EXPECT_THAT(pairs("a = b, \\\n   c,\\\n\td\ne=f\\\\\ng=h\\"), ElementsAre("a|b, c,d", "e|f\\", "g|h"));
}

TEST(Properties, ContinuationSpansLinesAndCountsThem) {
  Diagnostics diagnostics;
  const auto lines = parse("\na = b\\\r\n c\r\nd=e", diagnostics);
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[0].first_line, 2U);
  EXPECT_EQ(lines[0].last_line, 3U);
  EXPECT_EQ(lines[1].first_line, 4U);
}

TEST(Properties, Escapes) {
  EXPECT_THAT(pairs("a\\ b\\=c = \\t\\n\\r\\f\\d\\\\d\\:\n"), ElementsAre("a b=c|\t\n\r\fd\\d:"));
  EXPECT_THAT(pairs("a=\\u00e4\\u4E2d\\ud83d\\ude00\n"), ElementsAre("a|\xC3\xA4\xE4\xB8\xAD\xF0\x9F\x98\x80"));
  EXPECT_THAT(pairs("a=\\ud83d!\n"), ElementsAre("a|\xEF\xBF\xBD!"));  // half a pair
}

TEST(Properties, MalformedUnicodeEscapeIsReportedOnceALine) {
  Diagnostics diagnostics;
  const auto lines = parse("a=1\nb=C:\\user\\u12\n", diagnostics);
  ASSERT_THAT(diagnostics, SizeIs(1));
  EXPECT_EQ(diagnostics[0].code, DiagnosticCode::syntax);
  EXPECT_EQ(diagnostics[0].line, 2U);
  EXPECT_EQ(lines[1].value, "C:\\user\\u12");
}

TEST(Properties, ReadsUtf8WithAndWithoutMark) {
  EXPECT_THAT(pairs("\xEF\xBB\xBF"
                    "a=\xC3\xA4\n"),
              ElementsAre("a|\xC3\xA4"));
}

TEST(Properties, ALineThatIsNotUtf8IsLatin1) {
  Diagnostics diagnostics;
  const auto lines = parse("a=\xC3\xA4\nb=\xE4\n", diagnostics);
  EXPECT_EQ(lines[0].value, "\xC3\xA4");
  EXPECT_EQ(lines[1].value, "\xC3\xA4");
  ASSERT_THAT(diagnostics, SizeIs(1));
  EXPECT_EQ(diagnostics[0].code, DiagnosticCode::encoding);
  EXPECT_EQ(diagnostics[0].severity, Severity::warning);
  EXPECT_EQ(diagnostics[0].line, 2U);
}

TEST(Properties, ACommentThatIsNotUtf8IsANote) {
  Diagnostics diagnostics;
  EXPECT_THAT(parse("# \xD6\xD0\na=1\n", diagnostics), SizeIs(1));
  ASSERT_THAT(diagnostics, SizeIs(1));
  EXPECT_EQ(diagnostics[0].severity, Severity::note);
  EXPECT_EQ(diagnostics[0].line, 1U);
}

TEST(Properties, Utf16IsUnderstood) {
  using namespace std::string_view_literals;
  Diagnostics diagnostics;
  const auto lines = parse(
      "\xFF\xFE"
      "a\0=\0\xE4\0\n\0"sv,
      diagnostics);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0].value, "\xC3\xA4");
  ASSERT_THAT(diagnostics, SizeIs(1));
  EXPECT_THAT(diagnostics[0].message, HasSubstr("UTF-16"));
}

TEST(Properties, RemembersGapAndIndent) {
  Diagnostics diagnostics;
  const auto lines = parse("  a = b\nc", diagnostics);
  EXPECT_EQ(lines[0].gap, " = ");
  EXPECT_TRUE(lines[0].indented);
  EXPECT_EQ(lines[0].separator, '=');
  EXPECT_EQ(lines[1].separator, 0);
}

TEST(Properties, FormatIsReadBack) {
  const std::string key = "a b:c=d#e";
  const std::string value = "  x=\\y\t\n\xC3\xA4 ";
  EXPECT_THAT(pairs(format_property(key, value)), ElementsAre(key + "|" + value));
}

}  // namespace
}  // namespace standpipe
