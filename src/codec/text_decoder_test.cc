#include "codec/text_decoder.h"

#include <gtest/gtest.h>

#include "codec/utf8.h"

namespace standpipe {
namespace {

TextDecoder decoder(std::string_view charset) { return TextDecoder::make(charset).value(); }

TEST(TextDecoder, LeavesGoodUtf8Alone) {
  EXPECT_TRUE(decoder("UTF-8").is_plain("na\xC3\xAFve \xE2\x82\xAC \xF0\x9F\x98\x80"));
  EXPECT_TRUE(decoder("utf8").is_plain(""));
}

TEST(TextDecoder, ReplacesDamageAsJavaDoes) {
  TextDecoder utf8 = decoder("utf-8");
  EXPECT_FALSE(utf8.is_plain("a\xFF"));
  EXPECT_EQ(utf8.decode("a\xFF"
                        "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(utf8.decode("\xE2\x82"), "\xEF\xBF\xBD");                              // cut off: one for what is there
  EXPECT_EQ(utf8.decode("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // overlong
  EXPECT_EQ(utf8.decode("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // half of a surrogate pair
}

TEST(TextDecoder, ConvertsOtherCharsets) {
  TextDecoder latin = decoder("ISO-8859-1");
  EXPECT_TRUE(latin.is_plain("plain"));
  EXPECT_FALSE(latin.is_plain("na\xEFve"));
  EXPECT_EQ(latin.decode("na\xEFve"), "na\xC3\xAFve");
  EXPECT_EQ(decoder("GBK").decode("\xD6\xD0"), "\xE4\xB8\xAD");
  EXPECT_EQ(decoder("US-ASCII").decode("a\x80z"), "a\xEF\xBF\xBDz");
}

TEST(TextDecoder, RefusesWhatItCantDo) {
  EXPECT_EQ(TextDecoder::make("klingon-7").status().code(), Code::invalid);
  EXPECT_EQ(TextDecoder::make("UTF-16LE").status().code(), Code::invalid);
}

TEST(TextDecoder, CountsAsJavaCounts) {
  EXPECT_EQ(utf8::utf16_units("abc"), 3u);
  EXPECT_EQ(utf8::utf16_units("\xE2\x82\xAC"), 1u);
  EXPECT_EQ(utf8::utf16_units("\xF0\x9F\x98\x80"), 2u);
}

}  // namespace
}  // namespace standpipe
