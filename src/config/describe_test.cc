#include "config/describe.h"

#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "config/known/known.h"
#include "standpipe/settings.h"

namespace standpipe {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::array kOptions{
    Option{.name = "path", .kind = Kind::path, .help = "Where to write.", .required = true},
    Option{.name = "batchSize",
           .kind = Kind::integer,
           .fallback = "100",
           .help = "Most events in one batch.",
           .unit = "events",
           .lenient = true,
           .min = 1,
           .max = 2147483647,
           .aliases = "batch old.batch"},
    Option{.name = "order", .kind = Kind::choice, .fallback = "a", .help = "A | B, <tag>.", .choices = "a|b"},
    Option{.name = "level", .kind = Kind::integer, .help = "How hard.", .min = 0, .max = 9},
    Option{.name = "gone", .help = "Nothing.", .no_effect = "it went away"},
};
constexpr std::string_view kClasses[] = {"org.example.Demo"};
constexpr ComponentInfo kDemo{.kind = ComponentKind::sink,
                              .name = "demo",
                              .class_names = kClasses,
                              .summary = "Shows things.",
                              .options = kOptions,
                              .batch_option = "batchSize",
                              .acknowledges = "it was shown"};

TEST(DescribeTest, ValuesInWords) {
  EXPECT_EQ(value_in_words(kOptions[0]), "path");
  EXPECT_EQ(value_in_words(kOptions[1]), "whole number of events, at least 1");
  EXPECT_EQ(value_in_words(kOptions[2]), "one of a, b");
  EXPECT_EQ(value_in_words(kOptions[3]), "whole number, 0 to 9");
}

TEST(DescribeTest, TextHasEverythingATableSays) {
  EXPECT_EQ(describe_text(kDemo),
            "demo (sink)\n"
            "\n"
            "  Shows things.\n"
            "  Acknowledged means: it was shown.\n"
            "\n"
            "Class names that mean the same\n"
            "  org.example.Demo\n"
            "\n"
            "Options\n"
            "  path (path; required)\n"
            "      Where to write.\n"
            "  batchSize (whole number of events, at least 1; default 100)\n"
            "      Most events in one batch.\n"
            "      Older name: batch, old.batch.\n"
            "      A bad value is replaced by the default, with a warning.\n"
            "  order (one of a, b; default a)\n"
            "      A | B, <tag>.\n"
            "  level (whole number, 0 to 9)\n"
            "      How hard.\n"
            "  gone (text)\n"
            "      Nothing.\n"
            "      Has no effect: it went away.\n");
}

TEST(DescribeTest, OptionsWithoutAComponent) {
  EXPECT_THAT(describe_options_text(shared_options(ComponentKind::sink)),
              HasSubstr("  channel (word; required)\n      Name of the channel"));
  EXPECT_THAT(describe_options_markdown(shared_options(ComponentKind::sink)),
              HasSubstr("| --- | --- | --- | --- | --- |\n| `type` | word |  | yes | "));
}

TEST(DescribeTest, TextSaysWhatIsNotBuilt) {
  ComponentInfo info = kDemo;
  EXPECT_THAT(describe_text(info), Not(HasSubstr("not yet here")));
  info.built = false;
  EXPECT_THAT(describe_text(info), HasSubstr("not yet here"));
  info.options = {};
  EXPECT_THAT(describe_text(info), HasSubstr("No options of its own"));
}

TEST(DescribeTest, NoLineIsWiderThanAsked) {
  for (const std::size_t width : {60u, 100u}) {
    for (const ComponentInfo* info : known_components()) {
      const std::string text = describe_text(*info, width);
      for (const std::string_view line : split(text, '\n')) {
        const bool one_word = split_words(line).size() == 1;
        EXPECT_TRUE(line.size() <= width || one_word) << line;
      }
    }
  }
}

TEST(DescribeTest, MarkdownEscapesWhatWouldBreakTheTable) {
  const std::string text = describe_markdown(kDemo);
  EXPECT_THAT(text, HasSubstr("## demo\n\nShows things.\n"));
  EXPECT_THAT(text, HasSubstr("- `org.example.Demo`\n"));
  EXPECT_THAT(text, HasSubstr("| `order` | one of a, b | `a` |  | A \\| B, \\<tag>. |\n"));
  EXPECT_THAT(text, HasSubstr("| `path` | path |  | yes | Where to write. |\n"));
}

TEST(DescribeTest, EveryMarkdownRowHasFiveCells) {
  const std::string text = describe_all_markdown(known_components());
  for (const std::string_view line : split(text, '\n')) {
    if (!line.starts_with("|")) continue;
    int bars = 0;
    for (std::size_t at = 0; at < line.size(); ++at) bars += line[at] == '|' && (at == 0 || line[at - 1] != '\\');
    EXPECT_EQ(bars, 6) << line;
  }
}

TEST(DescribeTest, AllIsOrderedByKindAndName) {
  const std::string text = describe_all_markdown(known_components());
  const auto sources = text.find("## sources");
  const auto kafka = text.find("### kafka");
  const auto channels = text.find("## channels");
  ASSERT_NE(channels, std::string::npos);
  EXPECT_LT(sources, kafka);
  EXPECT_LT(kafka, channels);
  EXPECT_LT(text.find("### http\n"), text.find("### jms\n"));
}

TEST(DescribeTest, JsonHoldsTheTablesAgain) {
  const auto parsed = nlohmann::json::parse(describe_all_json(known_components()));
  ASSERT_EQ(parsed.size(), known_components().size());
  for (const auto& object : parsed) {
    const ComponentInfo* info = nullptr;
    for (const ComponentInfo* candidate : known_components()) {
      const bool same =
          object["name"] == std::string(candidate->name) && object["kind"] == std::string(to_string(candidate->kind));
      if (same) info = candidate;
    }
    ASSERT_NE(info, nullptr);
    EXPECT_EQ(object["built"], info->built);
    ASSERT_EQ(object["options"].size(), info->options.size());
    for (std::size_t i = 0; i < info->options.size(); ++i) {
      EXPECT_EQ(object["options"][i]["name"], std::string(info->options[i].name));
      EXPECT_EQ(object["options"][i].value("default", ""), info->options[i].fallback);
    }
  }
}

TEST(DescribeTest, JsonLeavesOutWhatDoesNotApply) {
  const ComponentInfo* infos[] = {&kDemo};
  const auto demo = nlohmann::json::parse(describe_all_json(infos))[0];
  EXPECT_EQ(demo["classNames"], nlohmann::json::array({"org.example.Demo"}));
  EXPECT_EQ(demo["batchOption"], "batchSize");
  EXPECT_EQ(
      demo["options"][0],
      nlohmann::json(
          {{"name", "path"}, {"kind", "path"}, {"value", "path"}, {"help", "Where to write."}, {"required", true}}));
  EXPECT_EQ(demo["options"][1]["aliases"], nlohmann::json::array({"batch", "old.batch"}));
  EXPECT_EQ(demo["options"][1]["min"], 1);
  EXPECT_EQ(demo["options"][2]["choices"], nlohmann::json::array({"a", "b"}));
  EXPECT_EQ(demo["options"][4]["noEffect"], "it went away");
}

}  // namespace
}  // namespace standpipe
