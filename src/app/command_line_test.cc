#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "app/flume_command_line.h"
#include "app/java_options.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<FlumeCommandLine> parse(std::vector<std::string> arguments) { return parse_flume_command_line(arguments); }

TEST(FlumeCommandLine, TheLineThatUsersKnow) {
  const auto line = parse({"agent", "--conf", "/nowhere", "--conf-file", "a.conf", "-f", "b.conf", "--name", "a1",
                           "-Dflume.root.logger=INFO,console", "-Xmx512m", "--no-reload-conf"});
  ASSERT_TRUE(line.ok()) << line.status().to_string();
  EXPECT_EQ(line->name, "a1");
  EXPECT_THAT(line->conf_files, ElementsAre("a.conf", "b.conf"));
  EXPECT_EQ(line->java.properties.at("flume.root.logger"), "INFO,console");
  EXPECT_EQ(line->java.heap_bytes, 512u << 20);
  EXPECT_TRUE(line->no_reload);
}

TEST(FlumeCommandLine, PrefixesEqualsAndSingleDashes) {
  const auto line = parse({"agent", "--conf-f=a.conf", "-name", "a1", "--poll", "5"});
  ASSERT_TRUE(line.ok()) << line.status().to_string();
  EXPECT_EQ(line->name, "a1");
  EXPECT_EQ(line->poll_interval_s, 5);
  EXPECT_THAT(parse({"agent", "--conf-=a", "-n", "a"}).status().message(), HasSubstr("ambiguous"));
}

TEST(FlumeCommandLine, NamesWhatIsMissing) {
  EXPECT_THAT(parse({"agent", "-f", "a.conf"}).status().message(), HasSubstr("--name"));
  EXPECT_THAT(parse({"agent", "-n", "a1"}).status().message(), HasSubstr("no configuration"));
  EXPECT_THAT(parse({"agent", "-n"}).status().message(), HasSubstr("missing argument"));
  EXPECT_THAT(parse({"agnet"}).status().message(), HasSubstr("Unknown or unspecified command 'agnet'"));
  EXPECT_THAT(parse({"agent", "--frobnicate"}).status().message(), HasSubstr("unrecognized"));
}

TEST(FlumeCommandLine, WhatOnlyAJavaMachineUnderstandsIsNamed) {
  const auto line = parse({"agent", "-n", "a1", "-f", "x", "-XX:+UseG1GC", "-C", "/jars"});
  ASSERT_TRUE(line.ok());
  EXPECT_THAT(line->messages, Contains(HasSubstr("-XX:+UseG1GC has no effect")));
  EXPECT_THAT(line->messages, Contains(HasSubstr("-C /jars has no effect")));
}

TEST(JavaOptions, HeapSizes) {
  EXPECT_EQ(parse_heap_size("1g"), 1u << 30);
  EXPECT_EQ(parse_heap_size("64K"), 65536u);
  EXPECT_EQ(parse_heap_size("4096"), 4096u);
  EXPECT_FALSE(parse_heap_size("lots"));
  EXPECT_FALSE(parse_heap_size("99999999999999999g"));
}

TEST(JavaOptions, FlumesOwnTwentyMegabytesAreNoWish) {
  JavaOptions options;
  options.take("-Xmx20m");
  EXPECT_FALSE(options.heap_bytes);
}

TEST(JavaOptions, TheEnvironmentScriptIsRead) {
  testing::TemporaryDirectory conf;
  std::ofstream(conf.file("flume-env.sh"))
      << "echo noise\nJAVA_OPTS=\"-Xmx64m -Dkey='two words'\"\nexport STANDPIPE_TEST_X=7\n";
  JavaOptions options;
  const auto messages = read_environment_script(conf.path(), options);
  EXPECT_THAT(messages, Contains(HasSubstr("Sourcing environment configuration script")));
  EXPECT_EQ(options.heap_bytes, 64u << 20);
  EXPECT_EQ(options.properties.at("key"), "two words");
  EXPECT_STREQ(std::getenv("STANDPIPE_TEST_X"), "7");
}

TEST(JavaOptions, ABrokenEnvironmentScriptIsReported) {
  testing::TemporaryDirectory conf;
  std::ofstream(conf.file("flume-env.sh")) << "if then\n";
  JavaOptions options;
  EXPECT_THAT(read_environment_script(conf.path(), options), Contains(HasSubstr("Warning")));
}

}  // namespace
}  // namespace standpipe
