#include "config/placeholders.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/test_catalog.h"

namespace standpipe {
namespace {

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

Surroundings world() {
  Surroundings surroundings;
  surroundings.environment = [](std::string_view name) -> std::optional<std::string> {
    if (name == "HOME") return "/home/flume";
    if (name == "NESTED") return "${env:HOME}/nested";
    if (name == "WHICH") return "HOME";
    if (name == "QUEUE_PASSWORD") return "hunter2";
    return std::nullopt;
  };
  surroundings.system = {{"stage", "test"}, {"user.home", "/home/flume"}, {"propertiesImplementation", "none"}};
  return surroundings;
}

struct Resolved {
  PropertyTable table;
  Diagnostics diagnostics;
  const std::string& operator[](const char* key) const { return table.find(key)->second.value; }
};

Resolved resolve(std::initializer_list<std::pair<std::string, std::string>> properties,
                 const Surroundings& surroundings = world()) {
  Resolved result;
  std::uint32_t line = 0;
  for (const auto& [key, value] : properties) result.table[key] = {.value = value, .file = "t.conf", .line = ++line};
  resolve_placeholders(result.table, surroundings, result.diagnostics);
  return result;
}

TEST(Placeholders, EnvironmentSystemAndProperties) {
  const Resolved r = resolve({{"a", "${env:HOME}/x"},
                              {"b", "${sys:stage}"},
                              {"c", "${ENV:HOME}"},
                              {"d", "<${b}|${a}>"},
                              {"e", "${sys:user.home}"},
                              {"f", "${env:NESTED}"}});
  EXPECT_EQ(r["a"], "/home/flume/x");
  EXPECT_EQ(r["b"], "test");
  EXPECT_EQ(r["c"], "/home/flume");
  EXPECT_EQ(r["d"], "<test|/home/flume/x>");
  EXPECT_EQ(r["e"], "/home/flume");
  EXPECT_EQ(r["f"], "/home/flume/nested");
  EXPECT_THAT(r.diagnostics, IsEmpty());
}

TEST(Placeholders, ReferencesResolveByDependencyWhateverTheirOrder) {
  const Resolved r = resolve({{"a", "${z}"}, {"k", "K"}, {"z", "${m}!"}, {"m", "${k}"}});
  EXPECT_EQ(r["a"], "K!");
}

TEST(Placeholders, DefaultsEscapesAndNesting) {
  const Resolved r = resolve({{"a", "${env:NO:-fall back}"},
                              {"b", "$${env:HOME}"},
                              {"c", "${env:${env:WHICH}}"},
                              {"d", "${env:NO:-${sys:stage}}"},
                              {"e", "${env:NO:-}"},
                              {"f", "$$${env:HOME} ${"},
                              {"g", "${a${b}"}});
  EXPECT_EQ(r["a"], "fall back");
  EXPECT_EQ(r["b"], "${env:HOME}");
  EXPECT_EQ(r["c"], "/home/flume");
  EXPECT_EQ(r["d"], "test");
  EXPECT_EQ(r["e"], "");
  EXPECT_EQ(r["f"], "$${env:HOME} ${");
  EXPECT_EQ(r["g"], "${a${env:HOME}");
}

TEST(Placeholders, AnUnknownPrefixFallsBackToThePropertyBehindIt) {
  const Resolved r = resolve({{"host", "h"}, {"a", "${env:host}"}, {"b", "${x:host}"}});
  EXPECT_EQ(r["a"], "h");
  EXPECT_EQ(r["b"], "h");
}

TEST(Placeholders, UnresolvedStaysAndIsListed) {
  const Resolved r = resolve({{"a", "x${no}y${env:NO}"}});
  EXPECT_EQ(r["a"], "x${no}y${env:NO}");
  EXPECT_THAT(r.table.find("a")->second.unresolved, ElementsAre("${no}", "${env:NO}"));
}

TEST(Placeholders, BareNamesReadTheEnvironmentWhereTheOldStyleIsAskedFor) {
  Surroundings surroundings = world();
  EXPECT_EQ(resolve({{"a", "${HOME}"}}, surroundings)["a"], "${HOME}");
  surroundings.system["propertiesImplementation"] = "org.apache.flume.node.EnvVarResolverProperties";
  EXPECT_EQ(resolve({{"a", "${HOME}"}}, surroundings)["a"], "/home/flume");
}

TEST(Placeholders, CyclesAreReportedAndStay) {
  const Resolved r = resolve({{"a", "${b}"}, {"b", "${c}"}, {"c", "${a}"}});
  ASSERT_THAT(r.diagnostics, SizeIs(1));
  EXPECT_EQ(r.diagnostics[0].code, DiagnosticCode::placeholder_cycle);
  EXPECT_EQ(r.diagnostics[0].line, 3U);
  EXPECT_EQ(r["a"], "${a}");
}

TEST(Placeholders, DoublingEndsAtTheLimit) {
  Resolved r;
  std::string before = std::string(1000, 'x');
  for (int i = 0; i < 40; ++i) {  // each line doubles the one before: 2^40 kilobytes if nobody counts
    const std::string key = "k" + std::to_string(100 + i);
    r.table[key] = {.value = i == 0 ? before : "${" + before + "}${" + before + "}", .file = "t.conf", .line = 1};
    before = key;
  }
  resolve_placeholders(r.table, world(), r.diagnostics);
  for (const auto& [key, property] : r.table) EXPECT_LE(property.value.size(), 2U << 20U);
}

TEST(Placeholders, DeepNestingAndOpenBracketsAreLinear) {
  std::string deep;
  for (int i = 0; i < 50'000; ++i) deep += "${";
  const std::string closed = deep + std::string(50'000, '}');
  EXPECT_EQ(resolve({{"a", deep}})["a"], deep);
  EXPECT_EQ(resolve({{"a", closed}})["a"], closed);
}

TEST(Placeholders, WhatCameFromOutsideCountsAsSecret) {
  const Resolved r = resolve({{"a", "${env:QUEUE_PASSWORD}"},
                              {"b", "${a}"},
                              {"db.password", "p"},
                              {"c", "${db.password}"},
                              {"d", "${plain}"},
                              {"plain", "p"}});
  EXPECT_TRUE(r.table.find("a")->second.derived);
  EXPECT_TRUE(r.table.find("b")->second.derived);
  EXPECT_TRUE(r.table.find("c")->second.derived);
  EXPECT_FALSE(r.table.find("d")->second.derived);
}

TEST(Placeholders, ASecretThatIsADefaultIsKnownAsOne) {
  const Resolved r = resolve({{"a", "x${env:NO:-${env:QUEUE_PASSWORD}}"}});
  EXPECT_EQ(r["a"], "xhunter2");
  EXPECT_THAT(r.table.find("a")->second.secret_parts, ElementsAre("hunter2"));
}

TEST(Placeholders, APartOfAVariablesValueIsNeverShown) {
  Surroundings surroundings = world();
  surroundings.environment = [](std::string_view) { return "hun${ter}2"; };
  Resolved r = resolve({{"a", "${env:X}"}}, surroundings);
  EXPECT_EQ(r["a"], "hun${ter}2");
  report_unresolved(r.table, r.diagnostics);
  ASSERT_THAT(r.diagnostics, SizeIs(1));
  EXPECT_EQ(r.diagnostics[0].key, "a");
  EXPECT_THAT(r.diagnostics[0].message, Not(HasSubstr("ter")));
}

TEST(ConfigFilters, WhatAPlaceholderFilledInIsNotShown) {
  Surroundings surroundings = world();
  surroundings.run = [](const std::vector<std::string>&) -> Result<std::string> { return Status(Code::io, "down"); };
  Resolved r = resolve({{"a1.configfilters", "f g ${env:QUEUE_PASSWORD}"},
                        {"a1.configfilters.f.type", "${env:QUEUE_PASSWORD}"},
                        {"a1.configfilters.g.type", "external"},
                        {"a1.configfilters.g.command", "/bin/secret"},
                        {"a1.sources.r.x", "$${g['${env:QUEUE_PASSWORD}']}"}},
                       surroundings);
  apply_config_filters(r.table, surroundings, r.diagnostics);
  ASSERT_THAT(r.diagnostics, SizeIs(3));
  for (const Diagnostic& found : r.diagnostics) {
    for (const std::string& text : {found.message, found.consequence, found.component, found.key}) {
      EXPECT_THAT(text, Not(HasSubstr("hunter2")));
    }
  }
}

TEST(Placeholders, Dates) {
  setenv("TZ", "UTC", 1);
  tzset();
  const auto now = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'700'000'000'123));
  Surroundings surroundings = world();
  surroundings.now = now;
  EXPECT_EQ(resolve({{"a", "${date:yyyy-MM-dd'T'HH:mm}"}}, surroundings)["a"], "2023-11-14T22:13");
  EXPECT_EQ(resolve({{"a", "${date:yyyy-Q}"}}, surroundings)["a"], "${date:yyyy-Q}");
}

// --- through a whole load ---

TEST(Placeholders, APropertyThatOthersReferToNeedsNoAgent) {
  const Configuration loaded =
      load(config_test::base_and("root = localhost\na1.sources.r1.bind = ${root}\nlonely = 1\n"));
  EXPECT_THAT(lines_of(loaded),
              ElementsAre("12 warning duplicate-key a1.sources.r1.bind", "13 warning invalid-property lonely"));
  EXPECT_EQ(loaded.find("a1")->sources[0].settings.text("bind"), "localhost");
  EXPECT_EQ(loaded.resolved.find("a1.sources.r1.bind")->second, "localhost");
}

TEST(Placeholders, ShellAndReplacementTextsKeepTheirOwn) {
  const Configuration loaded = load(config_test::base_and("a1.sources.r1.command = for i in a b; do cat ${i}; done\n"));
  EXPECT_THAT(lines_of(loaded), ElementsAre("11 warning unknown-property a1.sources.r1.command"));
}

// --- config filters ---

constexpr std::string_view kFilter =
    "a1.configfilters = f\n"
    "a1.configfilters.f.type = external\n"
    "a1.configfilters.f.command = /bin/secret --get\n"
    "a1.sources.r1.max-line-length = ${f['QUEUE_PASSWORD']}\n";

TEST(ConfigFilters, EnvironmentInAllThreeQuotings) {
  for (const std::string_view quoted : {"'HOME'", "\"HOME\"", "HOME"}) {
    const Configuration loaded = load(config_test::base_and("a1.configfilters = f\na1.configfilters.f.type = env\n"
                                                            "a1.sinks.k1.note = ${f[" +
                                                            std::string(quoted) + "]}\n"),
                                      world());
    EXPECT_EQ(loaded.resolved.find("a1.sinks.k1.note")->second, "/home/flume") << quoted;
  }
}

TEST(ConfigFilters, ExternalProcessGetsTheKeyLastAndItsFirstLineCounts) {
  std::vector<std::string> asked;
  Surroundings surroundings = world();
  surroundings.run = [&](const std::vector<std::string>& command) -> Result<std::string> {
    asked = command;
    return std::string("77\n");
  };
  const Configuration loaded = load(config_test::base_and(kFilter), surroundings);
  EXPECT_THAT(loaded.diagnostics, IsEmpty());
  EXPECT_THAT(asked, ElementsAre("/bin/secret", "--get", "QUEUE_PASSWORD"));
  EXPECT_EQ(loaded.find("a1")->sources[0].settings.integer("max-line-length"), 77);
}

TEST(ConfigFilters, SeveralLinesAreReported) {
  Surroundings surroundings = world();
  surroundings.run = [&](const std::vector<std::string>&) -> Result<std::string> { return std::string("77\nmore\n"); };
  EXPECT_THAT(lines_of(load(config_test::base_and(kFilter), surroundings)),
              ElementsAre("13 warning config-filter a1.configfilters.f.command"));
}

TEST(ConfigFilters, AFailingProcessLeavesThePlaceholder) {
  Surroundings surroundings = world();
  surroundings.run = [&](const std::vector<std::string>&) -> Result<std::string> {
    return Status(Code::not_found, "no such program");
  };
  const Configuration loaded = load(config_test::base_and(kFilter), surroundings);
  EXPECT_THAT(lines_of(loaded), ElementsAre("13 error config-filter a1.configfilters.f.command",
                                            "14 error bad-value a1.sources.r1.max-line-length",
                                            "14 warning unresolved-placeholder a1.sources.r1.max-line-length"));
}

TEST(ConfigFilters, AnUnlistedFilterIsNamedInTheSuggestion) {
  const Configuration loaded = load(config_test::base_and("a1.sources.r1.interceptors = i\n"
                                                          "a1.sources.r1.interceptors.i.type = static\n"
                                                          "a1.sources.r1.interceptors.i.value = ${g['k']}\n"),
                                    world());
  EXPECT_THAT(lines_of(loaded), ElementsAre("13 warning unresolved-placeholder a1.sources.r1.interceptors.i.value"));
  EXPECT_THAT(loaded.diagnostics, Contains(Field(&Diagnostic::suggestion, HasSubstr("configfilters"))));
}

}  // namespace
}  // namespace standpipe
