#include "codec/charset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/utf8.h"

namespace standpipe {
namespace {

using ::testing::HasSubstr;

std::string decode(std::string_view charset, std::string_view bytes, OnMalformed policy = OnMalformed::replace) {
  CharsetDecoder decoder(Charset::find(charset).value(), policy);
  std::string out;
  const auto used = decoder.decode(bytes, out);
  return used.ok() ? out : used.status().to_string();
}

std::string encode(std::string_view charset, std::string_view text, OnMalformed policy = OnMalformed::replace) {
  CharsetEncoder encoder(Charset::find(charset).value(), policy);
  std::string out;
  const Status status = encoder.encode(text, out);
  return status.ok() ? out : status.to_string();
}

TEST(Charset, JavasNames) {
  for (const std::string_view name :
       {"UTF-8", "utf8", "US-ASCII", "ISO-8859-1", "ISO8859_1", "latin1", "windows-1252", "Cp1252", "GBK", "GB18030",
        "Big5", "Shift_JIS", "windows-31j", "EUC-JP", "KOI8-R", "UTF-16", "UTF-16LE", "UTF-32", "x-windows-949"}) {
    EXPECT_TRUE(Charset::find(name).ok()) << name;
  }
  EXPECT_THAT(Charset::find("nope").status().message(), HasSubstr("unknown charset 'nope'"));
  EXPECT_FALSE(Charset::find("").ok());
  EXPECT_FALSE(Charset::find("GBK//TRANSLIT").ok());
  EXPECT_EQ(Charset::find("GBK")->unit(), 1u);
  EXPECT_EQ(Charset::find("UTF-16LE")->unit(), 2u);
}

TEST(CharsetDecoder, Text) {
  EXPECT_EQ(decode("GBK", "\xd6\xd0\xce\xc4"), "\xe4\xb8\xad\xe6\x96\x87");
  EXPECT_EQ(decode("ISO-8859-1", "a\xe9"), "a\xc3\xa9");
  EXPECT_EQ(decode("windows-1252", "\x80"), "\xe2\x82\xac");
  EXPECT_EQ(decode("UTF-16", std::string_view("\0a\0b", 4)), "ab");
  EXPECT_EQ(decode("UTF-16", std::string_view("\xff\xfe"
                                              "a\0b\0",
                                              6)),
            "ab");
  EXPECT_EQ(decode("UTF-16", std::string_view("\xfe\xff\0a", 4)), "a");
  EXPECT_EQ(decode("US-ASCII",
                   "a\xe9"
                   "b"),
            "a\xef\xbf\xbd"
            "b");
  const std::string long_text(20'000, '\xe9');
  EXPECT_EQ(decode("ISO-8859-15", long_text).size(), 40'000u);
}

TEST(CharsetDecoder, Policies) {
  EXPECT_EQ(decode("UTF-8", "a\xff\xe4\xb8z"), "a\xef\xbf\xbd\xef\xbf\xbdz");
  EXPECT_EQ(decode("UTF-8", "a\xff\xe4\xb8z", OnMalformed::ignore), "az");
  EXPECT_THAT(decode("UTF-8", "a\xff", OnMalformed::fail), HasSubstr("corrupt: byte 1 is not valid in UTF-8"));
  EXPECT_EQ(decode("GBK",
                   "a\xff"
                   "b"),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(decode("GBK",
                   "a\xff"
                   "b",
                   OnMalformed::ignore),
            "ab");
  EXPECT_THAT(decode("GBK", "ab\xff", OnMalformed::fail), HasSubstr("byte 2 is not valid in GBK"));
  EXPECT_EQ(decode("GBK", "a\xd6"), "a\xef\xbf\xbd");
  // Surrogates, long forms and what lies above U+10FFFF are no UTF-8: counted piece by piece as Java does.
  EXPECT_EQ(decode("UTF-8", "\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(decode("UTF-8", "\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(decode("UTF-8", "\xf0\x9f\x98"), "\xef\xbf\xbd");
}

TEST(CharsetDecoder, PiecesGiveWhatTheWholeGives) {
  for (const auto& [charset, bytes] :
       {std::pair<std::string_view, std::string_view>{"UTF-8", "a\xc3\xa9\xf0\x9f\x98\x80z\xe4\xb8\xad"},
        {"GBK", "a\xd6\xd0\xce\xc4z"},
        {"UTF-16", std::string_view("\xff\xfe"
                                    "a\0\x3d\xd8\0\xde",
                                    8)}}) {
    CharsetDecoder decoder(Charset::find(charset).value(), OnMalformed::fail);
    std::string out;
    std::string waiting;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      waiting += bytes[i];
      const auto used = decoder.decode(waiting, out, i + 1 == bytes.size());
      ASSERT_TRUE(used.ok()) << charset << ": " << used.status().to_string();
      waiting.erase(0, *used);
    }
    EXPECT_EQ(out, decode(charset, bytes)) << charset;
    EXPECT_EQ(waiting, "");
  }
}

TEST(CharsetEncoder, Text) {
  EXPECT_EQ(encode("GBK", "\xe4\xb8\xad"), "\xd6\xd0");
  EXPECT_EQ(encode("ISO-8859-1", "a\xc3\xa9"), "a\xe9");
  EXPECT_EQ(encode("US-ASCII", "a\xc3\xa9z"), "a?z");
  EXPECT_EQ(encode("US-ASCII", "a\xc3\xa9z", OnMalformed::ignore), "az");
  EXPECT_THAT(encode("US-ASCII", "a\xc3\xa9z", OnMalformed::fail),
              HasSubstr("character at byte 1 does not exist in US-ASCII"));
  EXPECT_EQ(encode("UTF-16", "a"), std::string("\xfe\xff\0a", 4));
  EXPECT_EQ(encode("UTF-8", "a\xff"), "a\xff");
}

TEST(Utf8, ValidityAgreesWithStepping) {
  std::string text = "plain ascii, then more of it \xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80 end";
  EXPECT_TRUE(utf8::is_valid(text));
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char bad : {'\xff', '\x80', '\xc3'}) {
      std::string broken = text;
      broken[at] = bad;
      bool stepped = true;
      for (std::string_view rest = broken; !rest.empty();) {
        const utf8::Step next = utf8::step(rest);
        stepped = stepped && next.code_point != utf8::kMalformed;
        rest.remove_prefix(next.size);
      }
      ASSERT_EQ(utf8::is_valid(broken), stepped);
    }
  }
}

}  // namespace
}  // namespace standpipe
