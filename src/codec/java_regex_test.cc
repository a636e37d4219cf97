#include "codec/java_regex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace standpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Outcome = JavaRegex::Outcome;

JavaRegex regex(std::string_view pattern, JavaRegex::Mode mode = JavaRegex::Mode::find) {
  auto result = JavaRegex::compile(pattern, mode);
  EXPECT_TRUE(result.ok()) << result.status().to_string();
  return std::move(result).value();
}

std::string refusal(std::string_view pattern) {
  const auto result = JavaRegex::compile(pattern);
  return result.ok() ? "" : result.status().message();
}

std::string replace(std::string_view pattern, std::string_view replacement, std::string_view text) {
  const auto compiled = JavaReplacement::compile(replacement, regex(pattern));
  if (!compiled.ok()) return compiled.status().message();
  std::string out;
  const Outcome outcome = compiled->replace_all(text, out);
  return outcome == Outcome::match ? out : outcome == Outcome::none ? "(none)" : "(gave up)";
}

struct Case {
  const char* pattern;
  const char* text;
  const char* groups;  // "-": no match; groups from 0 on with | between, ~ for one that took no part
};

// What java.util.regex of OpenJDK 17 answered to find().
constexpr Case kCases[] = {
    {"(\\d+)-(\\d+)", "a 12-345 b", "12-345|12|345"},
    {"^(\\S+) (\\S+) (\\S+) \\[([^\\]]+)\\] \"([^\"]*)\"",
     "1.2.3.4 - bob [10/Oct/2000:13:55:36 -0700] \"GET /x HTTP/1.0\" 200",
     "1.2.3.4 - bob [10/Oct/2000:13:55:36 -0700] \"GET /x HTTP/1.0\"|1.2.3.4|-|bob|10/Oct/2000:13:55:36 -0700|GET /x "
     "HTTP/1.0"},
    {"(?i)error|warn", "x ERROR", "ERROR"},
    {"a*+b", "aaab", "aaab"},
    {"a*+ab", "aaab", "-"},
    {"\\p{Alpha}+\\p{Digit}{2,}", "--ab123", "ab123"},
    {"\\p{javaLowerCase}+", "ABC\303\251def", "\303\251def"},
    {"[a-z&&[^aeiou]]+", "aeixyzo", "xyz"},
    {"[a-z&&[def]&&[^e]]", "xed", "d"},
    {"[^a-c[x-z]]+", "abqrsxz", "qrs"},
    {"[a-c[x-z]]+", "mmabzz1", "abzz"},
    {"end\\Z", "the end\012", "end"},
    {"end\\z", "the end\012", "-"},
    {"end$", "the end\015\012", "end"},
    {"\\r$", "end\015\012", "-"},
    {"a.c", "a\302\205c", "-"},
    {"a.c", "a\013c", "a\013c"},
    {"a.c", "a\012c", "-"},
    {"(?s)a.c", "a\012c", "a\012c"},
    {"(?m)^b$", "a\015\012b\015\012c", "b"},
    {"(?m)^$", "a\012", "-"},
    {"(?dm)^b\\r$", "a\012b\015\012c", "b\015"},
    {"\\h+x", "a \302\240\011x", " \302\240\011x"},
    {"\\v", "a\342\200\250b", "\342\200\250"},
    {"\\Q[a]*\\E+", "x[a]***", "[a]***"},
    {"(?<year>\\d{4})-(?<m>\\d\\d)\\b.*\\k<m>", "2013-05 x 05", "2013-05 x 05|2013|05"},
    {"(a)|(b)", "b", "b|~|b"},
    {"(?x) a b # comment\012 [c d] +", "abdcd", "abdcd"},
    {"(?<=\\$)\\d+(?!\\d|\\.)", "x$12.5 $34", "34"},
    {"(?<!a)b", "ab bb", "b"},
    {"(?>a+)b", "aaab", "aaab"},
    {"\\x41\\u0042\\t\\0101\\cA", "AB\011A\001", "AB\011A\001"},
    {"\\ud83d\\ude00+", "x\360\237\230\200\360\237\230\200", "\360\237\230\200\360\237\230\200"},
    {"(\\w+) \\1", "the the cat", "the the|the"},
    {"(a)(b)\\11", "aba1", "aba1|a|b"},
    {"\\w+", "\303\251 abc", "abc"},
    {"\\b\303\251\\b", "a \303\251 b", "\303\251"},
    {"(?U)\\w+", "-\303\251lan-", "\303\251lan"},
    {"\\d+", "\331\243\331\244 12", "12"},
    {"(?u)(?i)\303\211", "\303\251", "\303\251"},
    {"\\p{IsHan}+", "abc\344\270\255\346\226\207def", "\344\270\255\346\226\207"},
    {"\\p{L}+\\p{Nd}", "n\303\2515", "n\303\2515"},
    {"\\P{Lu}+", "ABcdE", "cd"},
    {"\\p{InCyrillic}+", "abc \320\277\321\200\320\270\320\262\320\265\321\202",
     "\320\277\321\200\320\270\320\262\320\265\321\202"},
    {"\\p{Punct}+", "a!?/[]b", "!?/[]"},
    {"[\\p{Punct}&&[^_]]+", "__-+_", "-+"},
    {"[]a]+", "b]a]", "]a]"},
    {"[a\\-z]+", "b-az", "-az"},
    {"[-a]+", "b-a-", "-a-"},
    {"[\\d\\s]+x", "a1 2x", "1 2x"},
    {"(?i:ab)c", "ABC ABc", "ABc"},
    {"a(?i)b|c", "C", "C"},
    {"x{2,3}?", "xxxx", "xx"},
    {"(x{2}){2}", "xxxxx", "xxxx|xx"},
    {"(\\d+)(?:px|em)?;", "w:12em;", "12em;|12"},
    {"^.*?,(.*?),.*$", "a,b,c,d", "a,b,c,d|b"},
    {"}]", "a}]", "}]"},
    {"\\R", "a\015\012b", "\015\012"},
    {"[^\303\251]+", "\303\251abc\303\251", "abc"},
    {"\303\251?a", "\303\251a", "\303\251a"},
    {".", "\360\237\230\200", "\360\237\230\200"},
    {"[\\x{1F600}-\\x{1F64F}]", "a\360\237\230\220", "\360\237\230\220"},
    {"^\\s*$", "", ""},
    {"(?:)", "abc", ""},
    {"(a|ab)(c|bcd)(d*)", "abcd", "abcd|a|bcd|"},
    {"(z)((a+)?(b+)?(c))*", "zaacbbbcac", "zaacbbbcac|z|ac|a|bbb|c"},
    {"\\G\\d", "1a2", "1"},
    {"^*x", "ax", "x"},
    {"(?=a)*b", "ab", "b"},
    {"\\p{Lower}\\p{Upper}", "abC", "bC"},
    {"\\p{javaWhitespace}+", "a\342\200\203 \302\240b", "\342\200\203 "},
    {"[\\w&&[^\\d]]+", "12ab3", "ab"},
    {"\\.\\*\\+", "a.*+", ".*+"},
    {"[^\\n]+$", "a\012b\012", "b"},
    {"\\b\\w+\\b", "na\303\257ve x", "x"},
};

TEST(JavaRegex, FindsWhatJavaFinds) {
  for (const Case& one : kCases) {
    const auto compiled = JavaRegex::compile(one.pattern);
    ASSERT_TRUE(compiled.ok()) << compiled.status().to_string();
    RegexMatch match;
    std::string groups = "-";
    if (compiled->match(one.text, match) == Outcome::match) {
      groups.clear();
      for (int i = 0; i <= compiled->groups(); ++i) {
        groups += i > 0 ? "|" : "";
        groups += match.group(i).value_or("~");
      }
    }
    EXPECT_EQ(groups, one.groups) << one.pattern << " on '" << one.text << "'";
  }
}

TEST(JavaRegex, RefusesWhatJavaRefuses) {
  for (const std::string_view pattern :
       {"a**",  "*a",        "(a",       "a)",    "[a",        "a{",     "a{,3}", "(?<1a>x)", "(?<a>x)(?<a>y)",
        "\\y",  "\\p{Nope}", "(?P<a>x)", "(?#x)", "[z-a]",     "a{3,2}", "\\",    "\\k<a>",   "\\u12",
        "\\xg", "(?q)x",     "[\\b]",    "+",     "(*ACCEPT)", "(?|a)",  "\xff"}) {
    EXPECT_NE(refusal(pattern), "") << pattern;
  }
}

TEST(JavaRegex, ARefusalNamesTheConstructAndItsPlace) {
  EXPECT_THAT(refusal("ab\\p{Nope}"), HasSubstr("the property \\p{Nope} is not supported (at character 4)"));
  EXPECT_THAT(refusal("(?<=a+)b"), HasSubstr("lookbehind assertion is not fixed length"));
  EXPECT_THAT(refusal("x\\b{g}"), HasSubstr("\\b{g} is not supported (at character 2)"));
  EXPECT_THAT(refusal("\\p{IsKlingon}"), HasSubstr("is not supported"));
  EXPECT_THAT(refusal(std::string(1000, '(')), HasSubstr("nested deeper"));
  EXPECT_THAT(refusal(std::string(1000, '[')), HasSubstr("nested deeper"));
  EXPECT_THAT(refusal("a{70000}"), HasSubstr("65535"));
}

TEST(JavaRegex, FullTakesTheWholeText) {
  const JavaRegex full = regex("a|ab", JavaRegex::Mode::full);
  EXPECT_TRUE(full.matches("ab"));
  EXPECT_FALSE(full.matches("abc"));
  EXPECT_FALSE(full.matches("a\n"));
  EXPECT_TRUE(regex("(?x)a # b", JavaRegex::Mode::full).matches("a"));
  EXPECT_TRUE(regex("app.*\\.log", JavaRegex::Mode::full).matches("app-1.log"));
}

TEST(JavaRegex, MalformedBytesCountAsReplacementCharacters) {
  const JavaRegex compiled = regex("a(.+)b");
  RegexMatch match;
  ASSERT_EQ(compiled.match("xa\xff\xe4\xb8"
                           "b",
                           match),
            Outcome::match);
  EXPECT_EQ(match.group(1), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(match.text(),
            "xa\xef\xbf\xbd\xef\xbf\xbd"
            "b");
  EXPECT_TRUE(regex("\\x{FFFD}").matches("\xc0"));
}

TEST(JavaRegex, RunawayPatternsGiveUp) {
  const auto start = std::chrono::steady_clock::now();
  RegexMatch match;
  EXPECT_EQ(regex("(a|aa|a*)+$").match(std::string(500, 'a') + "!", match), Outcome::gave_up);
  EXPECT_EQ(regex("(.*a){10}").match(std::string(400, 'a').append("\xc3\xa9").insert(0, "b") + "!", match),
            Outcome::match);
  EXPECT_EQ(regex("(x+x+)+y").match(std::string(2000, 'x') + "z", match), Outcome::none);  // no y: seen at once
  EXPECT_EQ(regex("(x+x+)+[yz]").match(std::string(2000, 'x'), match), Outcome::gave_up);
  const std::string deep(300'000, 'a');
  EXPECT_NE(regex("(?:(a)|b)*c").match(deep, match), Outcome::match);  // deeper than the stack: no crash
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(JavaRegex, NamesAndCounts) {
  const JavaRegex compiled = regex("(a)(?<n>b)(?:c)(?=d)");
  EXPECT_EQ(compiled.groups(), 2);
  EXPECT_EQ(compiled.group_of("n"), 2);
  EXPECT_EQ(compiled.group_of("m"), -1);
  EXPECT_EQ(compiled.group_of(""), -1);
}

TEST(JavaRegex, SplitsAsJavaDoes) {
  EXPECT_THAT(regex("\\s*,\\s*").split("a , b,,c,,"), ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(regex(",").split(""), ElementsAre(""));
  EXPECT_THAT(regex("").split("abc"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(regex(",").split(",a"), ElementsAre("", "a"));
}

TEST(JavaRegex, ThreadsShareOneExpression) {
  const JavaRegex shared = regex("(\\d+)-(\\d+)");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([shared, t] {
      for (int i = 0; i < 2000; ++i) {
        RegexMatch match;
        const std::string text = "x" + std::to_string(t) + "-" + std::to_string(i);
        ASSERT_EQ(shared.match(text, match), Outcome::match);
        ASSERT_EQ(match.group(2), std::to_string(i));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(JavaReplacement, JavasSyntax) {
  EXPECT_EQ(replace("(\\w+)@(?<host>\\w+)", "${host}:$1", "a@b, c@d"), "b:a, d:c");
  EXPECT_EQ(replace("a", "\\$\\\\x\\y", "-a-"), "-$\\xy-");
  EXPECT_EQ(replace("(a)(b)?", "[$2$1]", "a"), "[a]");
  EXPECT_EQ(replace("(a)", "$12", "a"), "a2");
  EXPECT_EQ(replace("a*", "X", "baac"), "XbXXcX");
  EXPECT_EQ(replace("", "-", "a\xc3\xa9"), "-a-\xc3\xa9-");
  EXPECT_EQ(replace("x", "y", "abc"), "(none)");
  EXPECT_EQ(replace("\\s+", "", "a  b c"), "abc");
  EXPECT_EQ(replace("^a", "b", "aaa"), "baa");
  EXPECT_EQ(replace("\\xe9", "e", "\xff\xc3\xa9"),
            "\xef\xbf\xbd"
            "e");
  EXPECT_EQ(replace("(a|aa|a*)+$", "", std::string(500, 'a') + "!"), "(gave up)");
}

TEST(JavaReplacement, RefusesGroupsThatAreNotThere) {
  EXPECT_THAT(replace("(a)", "$2", "a"), HasSubstr("no group 2"));
  EXPECT_THAT(replace("(a)", "${n}", "a"), HasSubstr("no group named 'n'"));
  EXPECT_THAT(replace("(a)", "cost: $", "a"), HasSubstr("write \\$"));
  EXPECT_THAT(replace("(a)", "\\", "a"), HasSubstr("at the end"));
  EXPECT_THAT(replace("(?<n>a)", "${n", "a"), HasSubstr("no group named"));
}

}  // namespace
}  // namespace standpipe
