#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "app/commands.h"
#include "app/configuration_backup.h"
#include "app/flume_command_line.h"
#include "app/java_options.h"
#include "app/logging_options.h"
#include "config/properties.h"
#include "support/command_answer.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using ::testing::AllOf;
using testing::Answer;
using testing::answer_of;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

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

TEST(FlumeCommandLine, EveryArgumentThatBelongsNowhereIsNamed) {
  const auto line = parse({"agent", "-n", "a1", "-f", "x", "two", "words"});
  ASSERT_TRUE(line.ok());
  EXPECT_THAT(line->messages, Contains(HasSubstr("ignored argument 'two'")));
  EXPECT_THAT(line->messages, Contains(HasSubstr("ignored argument 'words'")));
}

TEST(FlumeCommandLine, EveryAgentOption) {
  const auto line =
      parse({"agent", "-c", "/nowhere", "-n", "a1",     "-u", "http://h/x", "-user", "u",     "-pwd",       "p", "-i",
             "7",     "-b", "/backup",  "-z", "z:2181", "-p", "/base",      "-Xms1", "-Da=b", "-agentlib:x"});
  ASSERT_TRUE(line.ok()) << line.status().to_string();
  EXPECT_THAT(line->conf_uris, ElementsAre("http://h/x"));
  EXPECT_EQ(line->conf_user, "u");
  EXPECT_EQ(line->conf_password, "p");
  EXPECT_EQ(line->poll_interval_s, 7);
  EXPECT_EQ(line->backup_directory, "/backup");
  EXPECT_EQ(line->zookeeper, "z:2181");
  EXPECT_EQ(line->zookeeper_path, "/base");
  EXPECT_EQ(line->java.properties.at("a"), "b");
  EXPECT_EQ(zookeeper_node(*line), "/base/a1");
  EXPECT_THAT(line->messages, Contains(HasSubstr("--conf-file and --conf-uri are not read")));
  EXPECT_THAT(line->messages, Contains(HasSubstr("-Xms1 has no effect")));
  EXPECT_THAT(line->messages, Contains(HasSubstr("-agentlib:x has no effect")));
  EXPECT_THAT(line->messages, Contains(HasSubstr("--conf /nowhere is no folder")));
}

TEST(FlumeCommandLine, JavaClassesOnTheCommandLineHaveNoEffectAndSaySo) {
  const auto line = parse({"agent", "-n", "a1", "-f", "x", "-a", "com.acme.Auth", "-prov", "com.acme.P"});
  ASSERT_TRUE(line.ok());
  EXPECT_THAT(line->messages, Contains(AllOf(HasSubstr("--auth-provider com.acme.Auth"), HasSubstr("-pwd"))));
  EXPECT_THAT(line->messages, Contains(HasSubstr("--conf-provider com.acme.P has no effect")));
  EXPECT_THAT(parse({"agent", "-n", "a1", "-prov", "com.acme.P"}).status().message(), HasSubstr("no configuration"));
}

TEST(FlumeCommandLine, ALog4jFileInTheConfFolderIsNamed) {
  testing::TemporaryDirectory conf;
  std::ofstream(conf.file("log4j2.xml")) << "<Configuration/>\n";
  const auto line = parse({"agent", "-n", "a1", "-f", "x", "-c", conf.path()});
  ASSERT_TRUE(line.ok());
  EXPECT_THAT(line->messages, Contains(HasSubstr("log4j2.xml is not read")));
}

Answer flume_ng(const std::vector<std::string>& arguments) { return answer_of(run_flume_ng, arguments); }

TEST(FlumeNg, CommandsAndTheirExitStatus) {
  const Answer version = flume_ng({"version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_THAT(version.out, StartsWith("Flume 1.11.0"));
  EXPECT_EQ(std::count(version.out.begin(), version.out.end(), '\n'), 5);
  EXPECT_EQ(flume_ng({"help"}).status, 0);
  EXPECT_THAT(flume_ng({"help"}).out, HasSubstr("--conf-file,-f"));
  EXPECT_EQ(flume_ng({"agent", "--help"}).status, 0);

  const Answer unknown = flume_ng({"agnet"});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_THAT(unknown.err, HasSubstr("Unknown or unspecified command 'agnet'"));
  EXPECT_THAT(unknown.err, HasSubstr("Usage:"));
  EXPECT_EQ(flume_ng({}).status, 1);
}

Answer standpipe(const std::vector<std::string>& arguments) { return answer_of(run_standpipe, arguments); }

TEST(Tool, VerbsAreListedAndUnknownOnesRefused) {
  EXPECT_EQ(standpipe({"tool", "file-channel", "--help"}).status, 0);
  EXPECT_THAT(standpipe({"tool", "file-channel", "--help"}).out, HasSubstr("checkpointDir and all dataDirs"));
  EXPECT_EQ(standpipe({"tool", "file-channel"}).status, 2);
  const Answer unknown = standpipe({"tool", "file-channel", "explode", "/x"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.err, HasSubstr("unknown verb 'explode'"));
  EXPECT_THAT(standpipe({"tool", "hammer"}).err, HasSubstr("unknown tool 'hammer'"));
  EXPECT_EQ(standpipe({"tool"}).status, 2);
}

TEST(LoggingOptions, LevelAndTargets) {
  std::vector<std::string> problems;
  LogTarget target = log_target({}, problems);
  EXPECT_TRUE(target.console);
  EXPECT_EQ(target.file, "");

  target = log_target({{"flume.root.logger", "DEBUG,console"}}, problems);
  EXPECT_EQ(target.level, Log::Level::debug);
  EXPECT_TRUE(target.console);

  target = log_target({{"flume.root.logger", "WARN,LOGFILE"}, {"flume.log.dir", "/var/log/f"}}, problems);
  EXPECT_EQ(target.level, Log::Level::warn);
  EXPECT_FALSE(target.console);
  EXPECT_EQ(target.file, "/var/log/f/flume.log");

  target = log_target({{"flume.root.logger", "info, LOGFILE, console"}, {"flume.log.file", "a.log"}}, problems);
  EXPECT_TRUE(target.console);
  EXPECT_EQ(target.file, "./logs/a.log");
  EXPECT_THAT(problems, IsEmpty());
}

TEST(LoggingOptions, WordsThatMeanNothingAreNamed) {
  std::vector<std::string> problems;
  const LogTarget target = log_target({{"flume.root.logger", "VERBOSE,syslog"}}, problems);
  EXPECT_EQ(target.level, Log::Level::info);
  EXPECT_TRUE(target.console);
  EXPECT_THAT(problems, ElementsAre(HasSubstr("'VERBOSE'"), HasSubstr("'syslog'")));
}

TEST(LoggingOptions, EachPropertyWithoutEffectIsOneLineWithItsSubstitute) {
  EXPECT_THAT(ignored_properties({{"flume.monitoring.type", "ganglia"},
                                  {"flume.monitoring.hosts", "h:1"},
                                  {"com.sun.management.jmxremote", ""},
                                  {"log4j2.configurationFile", "x.xml"},
                                  {"flume.root.logger", "INFO,console"},
                                  {"some.other", "1"}}),
              UnorderedElementsAre(HasSubstr("flume.monitoring.type=ganglia"), HasSubstr("flume.monitoring.hosts"),
                                   HasSubstr("there is no JMX"), HasSubstr("-Dflume.root.logger=LEVEL,console")));
}

TEST(ConfigurationBackup, KeepsEveryByteThatAPropertyCanHave) {
  testing::TemporaryDirectory directory;
  Configuration configuration;
  configuration.resolved = {{"a1.sources.r1.key", " a\\b=c:d #e\tf"}, {"a1.sinks.k1.x y", "Z\u00fcrich \U0001F600"}};
  ASSERT_TRUE(store_backup(directory.path(), "a1", configuration).ok());
  const auto backup = read_backup(directory.path(), "a1");
  ASSERT_TRUE(backup.ok());
  Diagnostics diagnostics;
  std::map<std::string, std::string, std::less<>> read;
  for (const PropertyLine& line : parse_properties(backup->bytes, 0, "b", diagnostics)) read[line.key] = line.value;
  EXPECT_EQ(read, configuration.resolved);
  const auto mode = std::filesystem::status(directory.file(".a1.properties")).permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(read_backup(directory.path(), "a2").status().code(), Code::not_found);
}

}  // namespace
}  // namespace standpipe
