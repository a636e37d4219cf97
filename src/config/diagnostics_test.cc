// One test a diagnostic code at least: the text that causes it, and the line, key, suggestion and consequence it has.

#include <filesystem>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/test_catalog.h"

namespace standpipe {
namespace {

using config_test::base_and;
using config_test::lines_of;
using config_test::load;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

/// A text appended to the sound agent (so that its first line is 11), and the one diagnostic it must cause.
struct Case {
  std::string_view name;
  std::string_view text;
  std::string_view expected;    // as of line_of()
  std::string_view suggestion;  // a part of it
  std::string_view consequence = {};
};

class OneFinding : public ::testing::TestWithParam<Case> {};

TEST_P(OneFinding, IsReportedWithItsLine) {
  const Configuration loaded = load(base_and(GetParam().text));
  EXPECT_THAT(lines_of(loaded), ElementsAre(GetParam().expected));
  for (const Diagnostic& found : loaded.diagnostics) {
    if (found.severity == Severity::note) continue;
    EXPECT_THAT(found.suggestion, HasSubstr(GetParam().suggestion));
    EXPECT_THAT(found.consequence, HasSubstr(GetParam().consequence));
    EXPECT_EQ(found.file, "t.conf");
  }
}

constexpr Case kCases[] = {
    {"syntax_slashes", "// a remark\n", "11 warning syntax //", "'#'", "ignored"},
    {"invalid_no_dot", "mkdir -p /data\n", "11 warning invalid-property mkdir", "a1.sources.r1.type", "ignored"},
    {"invalid_kind", "a1.soruces.r1.bind = x\n", "11 warning invalid-property a1.soruces.r1.bind",
     "a1.sources.r1.bind"},
    {"invalid_no_agent", "channels.c1.capacity = 5\n", "11 warning invalid-property channels.c1.capacity",
     "a1.channels.c1.capacity"},
    {"invalid_no_property", "a1.sinks.k1 = logger\n", "11 warning invalid-property a1.sinks.k1", "<property>"},
    {"invalid_no_key", "\n= value\n", "12 warning invalid-property ", ""},
    {"empty_value", "a1.sources.r1.max-line-length =\n", "11 warning empty-value a1.sources.r1.max-line-length",
     "give it a value", "the default 512"},
    {"unknown_property", "a1.channels.c1.capcity = 5\n", "11 warning unknown-property a1.channels.c1.capcity",
     "did you mean capacity?", "capacity stays 100"},
    {"unknown_property_case", "a1.channels.c1.transactioncapacity = 5\n",
     "11 warning unknown-property a1.channels.c1.transactioncapacity", "did you mean transactionCapacity?"},
    {"unknown_property_of_another", "a1.sinks.k1.hdfs.path = /x\n", "11 warning unknown-property a1.sinks.k1.hdfs.path",
     "'hdfs.path' is a property of hdfs"},
    {"undeclared_misspelt_name", "a1.sinks.ki.maxBytesToLog = 5\n", "11 warning undeclared-component a1.sinks.ki",
     "did you mean a1.sinks.k1.maxBytesToLog?", "the property is ignored"},
    {"undeclared", "a1.sources.tail.type = netcat\na1.sources.tail.port = 5\n",
     "11 warning undeclared-component a1.sources.tail", "add tail to a1.sources", "its 2 properties are ignored"},
    {"undeclared_beside_a_similar_one", "a1.sources.r2.type = netcat\na1.sources.r2.port = 5\n",
     "11 warning undeclared-component a1.sources.r2", "add r2 to a1.sources", "its 2 properties are ignored"},
    {"undeclared_other_kind", "a1.sources.k1.port = 5\n", "11 warning undeclared-component a1.sources.k1",
     "did you mean a1.sinks.k1.port?"},
    {"no_such_config_filter", "a1.configfilters = f\na1.configfilters.f.type = vault\n",
     "12 error config-filter a1.configfilters.f.type", "env and external"},
    {"hadoop_config_filter", "a1.configfilters = f\na1.configfilters.f.type = hadoop\n",
     "12 error config-filter a1.configfilters.f.type", "external"},
    {"bad_value_lenient", "a1.channels.c1.capacity = many\n", "11 warning bad-value a1.channels.c1.capacity",
     "whole number", "the default 100"},
    {"bad_boolean", "a1.sources.r1.ack-every-event = yes\n", "11 warning bad-value a1.sources.r1.ack-every-event",
     "true or false", "false"},
    {"capacity_below", "a1.channels.c1.capacity = 5\n", "11 warning capacity-below-transaction a1.channels.c1.capacity",
     "at least 100"},
    {"trailing_comment", "a1.channels.c1.keep-alive = 5   ## seconds\n",
     "11 warning trailing-comment a1.channels.c1.keep-alive", "line of its own"},
    {"odd_space", "a1.channels.c1.keep-alive = 5\xC2\xA0\n", "11 warning odd-character a1.channels.c1.keep-alive",
     "anew"},
    {"odd_zero_width_key", "a1.channels.c1.\xE2\x80\x8Bkeep-alive = 5\n",
     "11 warning odd-character a1.channels.c1.keep-alive", "anew"},
    {"odd_full_width_equals",
     "a1.channels.c1.keep-alive\xEF\xBC\x9D"
     "5\n",
     "11 warning odd-character a1.channels.c1.keep-alive", "anew"},
    {"odd_full_width_digits", "a1.channels.c1.keep-alive = \xEF\xBC\x95\n",
     "11 warning odd-character a1.channels.c1.keep-alive", "anew"},
    {"odd_dash",
     "a1.channels.c1.keep\xE2\x80\x93"
     "alive = 5\n",
     "11 warning odd-character a1.channels.c1.keep-alive", "anew"},
    {"wrapped", "a1.channels.c1.keep-alive =\n   5\n", "11 warning wrapped-value a1.channels.c1.keep-alive",
     "backslash", "line 12"},
    {"singular_kind", "a1.source.r1.selector.type = replicating\n",
     "11 warning singular-key a1.source.r1.selector.type", "a1.sources.r1.selector.type"},
    {"singular_channel", "a1.sources.r1.channel = c1\n", "11 warning singular-key a1.sources.r1.channel", "remove it"},
    {"plural_channels", "a1.sinks.k1.channels = c1\n", "11 warning singular-key a1.sinks.k1.channels", "remove it"},
    {"wrong_agent", "a2.sources.r1.bind = x\n", "11 warning wrong-agent a2.sources.r1.bind",
     "did you mean a1.sources.r1.bind?"},
    {"unresolved", "a1.sources.r1.max-line-length.x = 1\n",
     "11 warning unknown-property a1.sources.r1.max-line-length.x", ""},
    {"duplicate",
     "a1.sinks.k1.channel = c1 \na1.sinks.k1.channel=c1\na1.channels.c1.keep-alive=1\na1.channels.c1.keep-alive=2\n",
     "14 warning duplicate-key a1.channels.c1.keep-alive", "remove", "line 14 counts"},
    {"latin1",
     "a1.channels.c1.keep-alive = 5\n# fine\na1.sources.r1.interceptors = i1\n"
     "a1.sources.r1.interceptors.i1.type = static\na1.sources.r1.interceptors.i1.value = K\xF6ln\n",
     "15 warning encoding a1.sources.r1.interceptors.i1.value", "UTF-8", "ISO-8859-1"},
    {"undeclared_interceptor", "a1.sources.r1.interceptors.i1.type = static\n",
     "11 warning undeclared-component a1.sources.r1.interceptors.i1.type", "add i1 to"},
    {"selector_without_type", "a1.sources.r1.selector.header = h\n",
     "11 warning no-effect a1.sources.r1.selector.header", "multiplexing"},
    {"template_line", "{% if x %}\n", "11 error template {%", "render"},
    {"group_member", "a1.sinkgroups = g1\na1.sinkgroups.g1.sinks = k1 kk1\n",
     "12 warning group-member a1.sinkgroups.g1.sinks", "did you mean k1?", "without kk1"},
    {"group_priority",
     "a1.sinkgroups = g1\na1.sinkgroups.g1.sinks = k1\na1.sinkgroups.g1.processor.type=failover\n"
     "a1.sinkgroups.g1.processor.priority.k2 = 1\n",
     "14 warning group-member a1.sinkgroups.g1.processor.priority.k2", "priority.k1"},
};

INSTANTIATE_TEST_SUITE_P(Diagnostics, OneFinding, ::testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

/// A whole text, and all that it must cause.
struct Whole {
  std::string_view name;
  std::string_view text;
  std::vector<std::string> expected;
  std::string_view suggestion = {};
};

class WholeText : public ::testing::TestWithParam<Whole> {};

TEST_P(WholeText, IsReportedWithItsLines) {
  const Configuration loaded = load(GetParam().text);
  EXPECT_EQ(lines_of(loaded), GetParam().expected);
  if (!GetParam().suggestion.empty()) {
    EXPECT_THAT(loaded.diagnostics,
                Contains(Field(&Diagnostic::suggestion, HasSubstr(std::string(GetParam().suggestion)))));
  }
}

const Whole kTexts[] = {
    {"missing_type",
     "a1.channels=c1\na1.sinks=k1\na1.channels.c1.type=file\na1.sinks.k1.channel=c1\na1.sources=r1\n"
     "a1.sources.r1.type=netcat\na1.sources.r1.bind=h\na1.sources.r1.port=1\na1.sources.r1.channels=c1\n",
     {"4 error missing-type a1.sinks.k1"},
     "add a1.sinks.k1.type"},
    {"missing_required",
     "a1.channels=c1\na1.sinks=k1\na1.channels.c1.type=file\na1.sinks.k1.channel=c1\na1.sinks.k1.type=logger\n"
     "a1.sources=r1\na1.sources.r1.type=netcat\na1.sources.r1.bind=h\na1.sources.r1.channels=c1\n",
     {"7 error missing-required a1.sources.r1"},
     "port to listen on"},
    {"missing_channel",
     "a1.channels=c1\na1.sinks=k1\na1.channels.c1.type=file\na1.sinks.k1.type=logger\n"
     "a1.sources=r1\na1.sources.r1.type=netcat\na1.sources.r1.bind=h\na1.sources.r1.port=1\n",
     {"3 warning unconnected-channel a1.channels.c1", "4 error missing-channel a1.sinks.k1",
      "6 error missing-channel a1.sources.r1"},
     "add a1.sources.r1.channels"},
    {"singular_channel_alone",
     "a1.channels=c1\na1.sinks=k1\na1.channels.c1.type=file\na1.sinks.k1.channels=c1\na1.sinks.k1.type=logger\n"
     "a1.sources=r1\na1.sources.r1.type=netcat\na1.sources.r1.bind=h\na1.sources.r1.port=1\na1.sources.r1.channel=c1\n",
     {"4 error singular-key a1.sinks.k1.channels", "10 error singular-key a1.sources.r1.channel"},
     "write a1.sinks.k1.channel = c1"},
    {"missing_component",
     "a1.channels=c1\na1.sinks=k1 k2\na1.channels.c1.type=memory\na1.sinks.k1.type=logger\na1.sinks.k1.channel=c1\n",
     {"2 error missing-component a1.sinks", "3 warning unconnected-channel a1.channels.c1"},
     "take it out of the list"},
    {"group_name_among_sinks",
     "a1.channels=c1\na1.sinks=k1 g1\na1.channels.c1.type=memory\na1.sinks.k1.type=logger\na1.sinks.k1.channel=c1\n"
     "a1.sinkgroups=g1\na1.sinkgroups.g1.sinks=k1\n",
     {"2 error missing-component a1.sinks", "3 warning unconnected-channel a1.channels.c1"},
     "g1 is a sink group"},
    {"no_channels", "a1.sources=r1\na1.sources.r1.type=netcat\n", {"1 error invalid-agent a1.sources"}, "a1.channels"},
    {"nothing_to_do", "a1.channels=c1\na1.channels.c1.type=memory\n", {"1 error invalid-agent a1.channels"}, "sources"},
};

INSTANTIATE_TEST_SUITE_P(Diagnostics, WholeText, ::testing::ValuesIn(kTexts),
                         [](const auto& test) { return std::string(test.param.name); });

/// Replaces one line of the sound agent.
std::string with_line(std::size_t line, std::string_view text) {
  std::string whole(config_test::kBase);
  std::size_t begin = 0;
  for (std::size_t i = 1; i < line; ++i) begin = whole.find('\n', begin) + 1;
  return whole.replace(begin, whole.find('\n', begin) - begin, text);
}

struct Replaced {
  std::string_view name;
  std::size_t line;
  std::string_view text;
  std::vector<std::string> expected;
  std::string_view suggestion;
  std::string_view consequence;
};

class ReplacedLine : public ::testing::TestWithParam<Replaced> {};

TEST_P(ReplacedLine, IsReportedWithItsLine) {
  const Configuration loaded = load(with_line(GetParam().line, GetParam().text));
  EXPECT_EQ(lines_of(loaded), GetParam().expected);
  EXPECT_THAT(loaded.diagnostics,
              Contains(AllOf(Field(&Diagnostic::suggestion, HasSubstr(std::string(GetParam().suggestion))),
                             Field(&Diagnostic::consequence, HasSubstr(std::string(GetParam().consequence))))));
}

const Replaced kReplaced[] = {
    {"unknown_type",
     9,
     "a1.sinks.k1.type = loger",
     {"9 error unknown-type a1.sinks.k1.type"},
     "did you mean logger?",
     "sink k1 is left out"},
    {"unknown_class",
     9,
     "a1.sinks.k1.type = com.acme.MySink",
     {"9 error unknown-type a1.sinks.k1.type"},
     "Java classes can't be loaded",
     "sink k1 is left out"},
    {"type_case_of_a_class",
     9,
     "a1.sinks.k1.type = org.apache.flume.sink.hdfs.hdfsEventSink",
     {"9 warning type-case a1.sinks.k1.type", "9 error missing-required a1.sinks.k1"},
     "write org.apache.flume.sink.hdfs.HDFSEventSink",
     "it is understood"},
    {"not_built",
     4,
     "a1.sources.r1.type = org.apache.flume.source.kafka.KafkaSource",
     {"4 error not-built a1.sources.r1.type", "5 warning unknown-property a1.sources.r1.bind",
      "6 warning unknown-property a1.sources.r1.port"},
     "",
     "source r1 is left out"},
    {"template_type",
     4,
     "a1.sources.r1.type = {{ source_type }}",
     {"4 error template a1.sources.r1.type"},
     "render",
     "source r1 is left out"},
    {"template_value",
     6,
     "a1.sources.r1.port = {{ port }}",
     {"6 error template a1.sources.r1.port"},
     "render",
     "source r1 is left out"},
    {"bad_port",
     6,
     "a1.sources.r1.port = 99999",
     {"6 error bad-value a1.sources.r1.port"},
     "",
     "source r1 is left out"},
    {"unknown_channel",
     10,
     "a1.sinks.k1.channel = cl",
     {"8 warning unconnected-channel a1.channels.c1", "10 error unknown-channel a1.sinks.k1.channel"},
     "did you mean c1?",
     "sink k1 is left out"},
    {"unknown_second_channel",
     7,
     "a1.sources.r1.channels = c1 disk",
     {"7 error unknown-channel a1.sources.r1.channels"},
     "the only channel is c1",
     "runs without it"},
    {"undeclared_channel",
     2,
     "a1.channels = c2",
     {"2 error missing-component a1.channels", "7 error unknown-channel a1.sources.r1.channels",
      "8 warning undeclared-component a1.channels.c1", "10 error unknown-channel a1.sinks.k1.channel"},
     "add c1 to a1.channels",
     ""},
    {"comma_list", 3, "a1.sinks = k1,", {"3 warning odd-character a1.sinks"}, "remove the commas", "ignored"},
    {"trailing_comment_in_list", 2, "a1.channels = c1 #c2", {"2 warning trailing-comment a1.channels"}, "", "comment"},
    {"trailing_comment_full_width",
     4,
     "a1.sources.r1.type = netcat\xE3\x80\x80# \xEF\xBC\x88source\xEF\xBC\x89",
     {"4 warning trailing-comment a1.sources.r1.type"},
     "",
     "comment"},
    {"only_a_comment",
     5,
     "a1.sources.r1.bind = # everywhere",
     {"4 error missing-required a1.sources.r1", "5 warning trailing-comment a1.sources.r1.bind",
      "5 warning empty-value a1.sources.r1.bind"},
     "give it a value",
     ""},
    {"curly_quotes",
     5,
     "a1.sources.r1.bind = \xE2\x80\x9Clocalhost\xE2\x80\x9D",
     {"5 warning odd-character a1.sources.r1.bind"},
     "anew",
     "plain character"},
    {"unresolved",
     5,
     "a1.sources.r1.bind = ${env:NO_SUCH}",
     {"5 warning unresolved-placeholder a1.sources.r1.bind"},
     "NO_SUCH",
     "stays as written"},
    {"malformed_escape",
     5,
     "a1.sources.r1.bind = \\u12",
     {"5 error syntax a1.sources.r1.bind"},
     "two backslashes",
     "kept as written"},
    {"dollar_name",
     5,
     "a1.sources.r1.bind = $BIND",
     {"5 warning unresolved-placeholder a1.sources.r1.bind"},
     "${env:BIND}",
     "stays as written"},
    {"cycle",
     5,
     "a1.sources.r1.bind = ${a1.sources.r1.bind}",
     {"5 error placeholder-cycle a1.sources.r1.bind"},
     "value of its own",
     "stays as written"},
};

INSTANTIATE_TEST_SUITE_P(Diagnostics, ReplacedLine, ::testing::ValuesIn(kReplaced),
                         [](const auto& test) { return std::string(test.param.name); });

// --- sources with more to say ---

constexpr std::string_view kSpool =
    "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.channels.c1.type = memory\n"
    "a1.sinks.k1.type = hdfs\na1.sinks.k1.hdfs.path = /out\na1.sinks.k1.channel = c1\n"
    "a1.sources.r1.type = spooldir\na1.sources.r1.channels = c1\na1.sources.r1.spoolDir = /in\n";

std::vector<std::string> spool_lines(std::string_view more) {
  return lines_of(load(std::string(kSpool) + std::string(more)));
}

TEST(Diagnostics, BatchAboveTheTransaction) {
  EXPECT_THAT(spool_lines(""), IsEmpty());
  EXPECT_THAT(spool_lines("a1.sources.r1.batchSize = 101\n"),
              ElementsAre("11 warning batch-exceeds-transaction a1.sources.r1.batchSize"));
  EXPECT_THAT(spool_lines("a1.channels.c1.transactionCapacity = 99\n"),
              ElementsAre("5 warning batch-exceeds-transaction a1.sinks.k1",
                          "8 warning batch-exceeds-transaction a1.sources.r1"));
}

/// Two file channels, c1 with its folders in lines 5 and 6, c2 from line 8 on with `more`.
Configuration two_file_channels(const std::string& checkpoint, const std::string& data, const std::string& more) {
  return load(
      "a1.sources = r1\na1.channels = c1 c2\n"
      "a1.sources.r1.type = netcat\na1.channels.c1.type = file\n"
      "a1.channels.c1.checkpointDir = " +
      checkpoint + "\na1.channels.c1.dataDirs = " + data + "\na1.channels.c2.type = file\n" + more +
      "a1.sources.r1.bind = localhost\na1.sources.r1.port = 44444\na1.sources.r1.channels = c1 c2\n"
      "a1.sinks = k1 k2\na1.sinks.k1.type = logger\na1.sinks.k1.channel = c1\n"
      "a1.sinks.k2.type = logger\na1.sinks.k2.channel = c2\n");
}

TEST(Diagnostics, AFolderOfTwoChannels) {
  const Configuration loaded = two_file_channels("/d/c1/check", "/d/c1/data, /e/c1",
                                                 "a1.channels.c2.checkpointDir = /d/c2/check\n"
                                                 "a1.channels.c2.dataDirs = /d/c2/../../e//c1/, /d/c1/check\n");
  EXPECT_THAT(lines_of(loaded), ElementsAre("9 error shared-folder a1.channels.c2.dataDirs",
                                            "9 error shared-folder a1.channels.c2.dataDirs"));
  const Diagnostic& first = loaded.diagnostics[0];
  EXPECT_EQ(first.message, "'/d/c2/../../e//c1/' is a folder of a1.channels.c1.dataDirs already");
  EXPECT_EQ(first.suggestion, "give each a folder of its own: a1.channels.c2.dataDirs = …");
  EXPECT_EQ(first.consequence, "channel c2 is left out");
  EXPECT_EQ(loaded.diagnostics[1].message, "'/d/c1/check' is a folder of a1.channels.c1.checkpointDir already");
  EXPECT_NE(loaded.find("a1")->channel("c1"), nullptr);
  EXPECT_EQ(loaded.find("a1")->channel("c2"), nullptr);
}

TEST(Diagnostics, AFolderNamedTwiceByOneChannel) {
  EXPECT_THAT(lines_of(two_file_channels("/d/c1/check", "/d/c1/data,/d/c1/data", "")),
              ElementsAre("6 error shared-folder a1.channels.c1.dataDirs"));
  EXPECT_THAT(lines_of(two_file_channels("/d/c1/check", "/d/c1/check/../check", "")),
              ElementsAre("6 error shared-folder a1.channels.c1.dataDirs"));
}

TEST(Diagnostics, FoldersBesideAndBelowEachOtherAreNotShared) {
  EXPECT_THAT(lines_of(two_file_channels("/d/c1/check", "/d/c1", "a1.channels.c2.dataDirs = /d\n")), IsEmpty());
}

TEST(Diagnostics, AFolderBehindALinkIsTheOneItLeadsTo) {
  const auto folder = std::filesystem::temp_directory_path() / ("shared-folder-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder / "real");
  std::filesystem::create_directory_symlink(folder / "real", folder / "link");
  EXPECT_THAT(lines_of(two_file_channels((folder / "real/check").string(), (folder / "real/data").string(),
                                         "a1.channels.c2.dataDirs = " + (folder / "link/data").string() + "\n")),
              ElementsAre("8 error shared-folder a1.channels.c2.dataDirs"));
  std::filesystem::remove_all(folder);
}

TEST(Diagnostics, DeprecatedAndWithoutEffect) {
  EXPECT_THAT(spool_lines("a1.sinks.k1.hdfs.rollEvents = 5\na1.sinks.k1.hdfs.threadsPoolSize = 5\n"),
              ElementsAre("11 warning deprecated a1.sinks.k1.hdfs.rollEvents",
                          "12 warning no-effect a1.sinks.k1.hdfs.threadsPoolSize"));
}

TEST(Diagnostics, APrefixThatIsMissingIsSuggested) {
  const Configuration loaded = load(std::string(kSpool) + "a1.sinks.k1.batchSize = 5\n");
  ASSERT_THAT(loaded.diagnostics, SizeIs(1));
  EXPECT_EQ(loaded.diagnostics[0].suggestion, "did you mean hdfs.batchSize?");
}

TEST(Diagnostics, BadPatternAndBadChoice) {
  EXPECT_THAT(spool_lines("a1.sources.r1.includePattern = x[0-9]{4]\n"),
              ElementsAre("11 error bad-value a1.sources.r1.includePattern"));
  const Configuration loaded = load(std::string(kSpool) + "a1.sources.r1.deletePolicy = imediate\n");
  ASSERT_THAT(loaded.diagnostics, Not(IsEmpty()));
  EXPECT_EQ(loaded.diagnostics[0].suggestion, "did you mean immediate?");
}

TEST(Diagnostics, EmptyTextThatDefaultsToNothingIsOnlyANote) {
  const Configuration loaded = load(std::string(kSpool) + "a1.sources.r1.fileSuffix =\n");
  ASSERT_THAT(loaded.diagnostics, SizeIs(1));
  EXPECT_EQ(loaded.diagnostics[0].severity, Severity::note);
  EXPECT_EQ(loaded.diagnostics[0].code, DiagnosticCode::empty_value);
}

TEST(Diagnostics, ExactKindsKeepHashesAndQuotes) {
  const Configuration loaded = load(std::string(kSpool) +
                                    "a1.sources.r1.command = echo a # b\n"
                                    "a1.sources.r1.note = x # y\n"
                                    "a1.sources.r1.password = p # q\xC2\xA0\n");
  EXPECT_THAT(lines_of(loaded), IsEmpty());
  const Settings& settings = loaded.find("a1")->sources[0].settings;
  EXPECT_EQ(settings.text("command"), "echo a # b");
  EXPECT_EQ(settings.text("note"), "x # y");
  EXPECT_EQ(settings.text("password"), "p # q\xC2\xA0");
}

TEST(Diagnostics, ACurlyQuoteInACommandIsNamedAndKept) {
  const Configuration loaded = load(std::string(kSpool) + "a1.sources.r1.command = echo \xE2\x80\x98x\xE2\x80\x99\n");
  EXPECT_THAT(lines_of(loaded), ElementsAre("11 warning odd-character a1.sources.r1.command"));
  EXPECT_EQ(loaded.find("a1")->sources[0].settings.text("command"), "echo \xE2\x80\x98x\xE2\x80\x99");
}

TEST(Diagnostics, OddCharactersAreReadAsMeant) {
  const Configuration loaded = load(std::string(kSpool) +
                                    "a1.sources.r1.topics = a\xEF\xBC\x8C"
                                    "b\n"
                                    "a1.sources.r1.inputCharset = \xE2\x80\x9CUTF\xE2\x80\x91"
                                    "8\xE2\x80\x9D\n");
  EXPECT_THAT(loaded.find("a1")->sources[0].settings.list("topics"), ElementsAre("a", "b"));
  EXPECT_EQ(loaded.find("a1")->sources[0].settings.text("inputCharset"), "UTF-8");
}

TEST(Diagnostics, Interceptors) {
  EXPECT_THAT(spool_lines("a1.sources.r1.interceptors = i1 i2 i3\n"
                          "a1.sources.r1.interceptors.i1.type = stattic\n"
                          "a1.sources.r1.interceptors.i2.key = k\n"
                          "a1.sources.r1.interceptors.i4.type = static\n"),
              ElementsAre("11 error unknown-interceptor a1.sources.r1.interceptors",
                          "12 error unknown-interceptor a1.sources.r1.interceptors.i1.type",
                          "13 error unknown-interceptor a1.sources.r1.interceptors.i2.key",
                          "14 warning undeclared-component a1.sources.r1.interceptors.i4.type"));
}

TEST(Diagnostics, AKeyBelowAnInterceptorsTypeIsTakenBack) {
  const Configuration loaded = load(std::string(kSpool) +
                                    "a1.sources.r1.interceptors = i1\n"
                                    "a1.sources.r1.interceptors.i1.type = static\n"
                                    "a1.sources.r1.interceptors.i1.type.value = v\n");
  ASSERT_THAT(loaded.diagnostics, SizeIs(1));
  EXPECT_EQ(loaded.diagnostics[0].line, 13U);
  EXPECT_EQ(loaded.diagnostics[0].suggestion, "did you mean value?");
}

TEST(Diagnostics, Selectors) {
  EXPECT_THAT(spool_lines("a1.sources.r1.selector.type = multiplex\n"),
              ElementsAre("11 error unknown-selector a1.sources.r1.selector.type"));
  EXPECT_THAT(spool_lines("a1.sources.r1.selector.type = multiplexing\na1.sources.r1.selector.mapping.a = c1 c9\n"),
              ElementsAre("12 error selector-channel a1.sources.r1.selector.mapping.a"));
}

TEST(Diagnostics, SelectorMappingsMayHoldDots) {
  EXPECT_THAT(spool_lines("a1.sources.r1.selector.type = multiplexing\na1.sources.r1.selector.mapping.a.b.C = c1\n"),
              IsEmpty());
}

TEST(Diagnostics, Groups) {
  EXPECT_THAT(spool_lines("a1.sinks = k1 k2\na1.sinks.k2.type = logger\na1.sinks.k2.channel = c2\n"
                          "a1.channels = c1 c2\na1.channels.c2.type = memory\na1.sources.r1.channels = c1 c2\n"
                          "a1.sinkgroups = g1 g2\na1.sinkgroups.g1.sinks = k1 k2\n"
                          "a1.sinkgroups.g1.processor.type = failover\na1.sinkgroups.g2.sinks = k1\n"
                          "a1.sinkgroups.g1.processor.sinks = k1\n"),
              ::testing::IsSupersetOf({"18 warning group-member a1.sinkgroups.g1.sinks",  // channels differ
                                       "20 warning group-member a1.sinkgroups.g2.sinks",  // k1 is taken
                                       "21 warning unknown-property a1.sinkgroups.g1.processor.sinks"}));
}

TEST(Diagnostics, ASinkThatIsLeftOfALoadBalancingGroupRunsOnItsOwn) {
  const Configuration loaded = load(std::string(kSpool) +
                                    "a1.sinkgroups = g\na1.sinkgroups.g.sinks = k1 k9\n"
                                    "a1.sinkgroups.g.processor.type = load_balance\n");
  EXPECT_THAT(lines_of(loaded), Contains("13 error group-member a1.sinkgroups.g.processor.type"));
  EXPECT_THAT(loaded.find("a1")->groups, IsEmpty());
  EXPECT_THAT(loaded.find("a1")->sinks, SizeIs(1));
}

TEST(Diagnostics, EqualPriorities) {
  const std::string group =
      "a1.sinks = k1 k2\na1.sinks.k2.type = logger\na1.sinks.k2.channel = c1\n"
      "a1.sinkgroups = g\na1.sinkgroups.g.sinks = k2 k1\na1.sinkgroups.g.processor.type = failover\n"
      "a1.sinkgroups.g.processor.priority.k1 = 5\na1.sinkgroups.g.processor.priority.k2 = ";
  EXPECT_THAT(spool_lines(group + "5\n"), Contains("17 warning group-member a1.sinkgroups.g.processor.priority.k1"));
  EXPECT_THAT(spool_lines(group + "6\n"), Not(Contains(HasSubstr("group-member"))));
}

TEST(Diagnostics, AGroupWithTheDefaultProcessorTakesOneSink) {
  const Configuration loaded = load(std::string(kSpool) +
                                    "a1.sinks = k1 k2\na1.sinks.k2.type = logger\n"
                                    "a1.sinks.k2.channel = c1\na1.sinkgroups = g\na1.sinkgroups.g.sinks = k1 k2\n");
  EXPECT_THAT(lines_of(loaded), Contains("15 error group-member a1.sinkgroups.g.sinks"));
  EXPECT_THAT(loaded.find("a1")->groups, IsEmpty());
  EXPECT_THAT(loaded.find("a1")->sinks, SizeIs(2));
}

// --- wrapped values ---

std::string spool_setting(std::string_view more, std::string_view key) {
  return load(std::string(kSpool) + std::string(more)).find("a1")->sources[0].settings.text(key);
}

TEST(Diagnostics, WrappedValuesAreJoined) {
  EXPECT_EQ(spool_setting("a1.sources.r1.command =\ntail -F /var/log/a.log\n", "command"), "tail -F /var/log/a.log");
  EXPECT_EQ(spool_setting("a1.sources.r1.command = tail -F a\n| grep x\n", "command"), "tail -F a | grep x");
  EXPECT_EQ(spool_setting("a1.sources.r1.topics = a,\n  b\n", "topics"), "a,b");
}

TEST(Diagnostics, NotesAndFencesAreNotJoined) {
  EXPECT_EQ(spool_setting("a1.sources.r1.command = tail\n```\n", "command"), "tail");
  EXPECT_EQ(spool_setting("a1.sources.r1.command = tail\nmkdir -p /x\n", "command"), "tail");
  EXPECT_EQ(spool_setting("a1.sources.r1.command = tail\n\n  -F\n", "command"), "tail");
}

// --- secrets ---

TEST(Diagnostics, WhatMayNeverBeShownIsListed) {
  Surroundings surroundings;
  surroundings.environment = [](std::string_view name) { return std::optional<std::string>(name); };
  const Configuration loaded = load(std::string(kSpool) +
                                        "a1.sources.r1.spoolDir = ${env:SPOOL}\n"
                                        "a1.sources.r1.password = hunter2\n"
                                        "base = ${env:API_TOKEN}\n"
                                        "a1.sources.r1.fileHeaderKey = x-${base}-${vault['key']}\n"
                                        "a1.configfilters = vault\na1.configfilters.vault.type = env\n",
                                    surroundings);
  EXPECT_THAT(loaded.secret_values, ElementsAre("API_TOKEN", "hunter2", "key"));
}

TEST(Diagnostics, NoTextShowsASecret) {
  Surroundings surroundings;
  surroundings.environment = [](std::string_view) { return std::optional<std::string>("hunter2"); };
  const Configuration loaded = load(std::string(kSpool) +
                                        "a1.sources.r1.password = hunter2\n"
                                        "a1.sources.r1.batchSize = ${env:SIZE}\n"
                                        "a1.sources.r1.interceptors = i1\n"
                                        "a1.sources.r1.interceptors.i1.type = ${env:TYPE}\n"
                                        "a1.sources.r1.authToken = hunter2\n"
                                        "a1.sinks.k1.channel = ${env:CHANNEL}\n"
                                        "a1.sources.r1.selector.type = ${env:SELECTOR}\n",
                                    surroundings);
  EXPECT_GE(loaded.diagnostics.size(), 5U);
  for (const Diagnostic& found : loaded.diagnostics) {
    EXPECT_THAT(found.message + found.suggestion + found.consequence, Not(HasSubstr("hunter2")));
  }
}

}  // namespace
}  // namespace standpipe
