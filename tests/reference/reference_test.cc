// Every component of the program, built or not, held against the list of Flume's properties: STANDPIPE_REFERENCE names
// the folder with its tables. What must hold of any option table is checked without it.

#include <cstdlib>
#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "agent/builtin.h"
#include "base/text.h"
#include "config/known/reference_rows.h"
#include "standpipe/settings.h"

namespace standpipe {
namespace {

TEST(Reference, EveryRowHasAnOption) {
  const char* folder = std::getenv("STANDPIPE_REFERENCE");
  if (folder == nullptr) GTEST_SKIP() << "STANDPIPE_REFERENCE does not name the folder with the tables";
  const auto rows = read_reference_rows(folder);
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  EXPECT_GT(rows.value().size(), 600u);
  for (const ReferenceRow& row : rows.value()) {
    const Status status = check_reference_row(all_components(), row);
    EXPECT_TRUE(status.ok()) << status.message();
  }
}

TEST(Reference, DefaultsAreLegalAndChoicesNotEmpty) {
  for (const ComponentInfo* info : all_components()) {
    for (const Option& option : info->options) {
      SCOPED_TRACE(std::string(to_string(info->kind)) + " " + std::string(info->name) + " " + std::string(option.name));
      const bool chooses = option.kind == Kind::choice || option.kind == Kind::type;
      EXPECT_TRUE(!chooses || !option.choices.empty());
      if (option.fallback.empty()) continue;
      const Status status = check_value(option, option.fallback);
      EXPECT_TRUE(status.ok()) << status.message();
    }
  }
}

TEST(Reference, NamesAndClassesNameOneComponent) {
  std::set<std::pair<ComponentKind, std::string>> seen;
  for (const ComponentInfo* info : all_components()) {
    if (!info->name.empty()) {
      EXPECT_TRUE(seen.emplace(info->kind, to_lower(info->name)).second) << info->name;
    }
    for (const std::string_view name : info->class_names) {
      EXPECT_TRUE(seen.emplace(info->kind, std::string(name)).second) << name;
    }
  }
}

}  // namespace
}  // namespace standpipe
