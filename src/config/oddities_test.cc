// One small file for each oddity that real configuration files hold (testdata/). Comment lines that begin with "#!" say
// what must be reported; nothing else may be, and where no error is expected the whole flow runs.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "codec/charset.h"
#include "config/test_catalog.h"

namespace standpipe {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

std::vector<std::string> expectations(std::string_view bytes) {
  const bool utf16 = bytes.starts_with("\xFF\xFE");
  const std::string text = utf16 ? to_utf8(bytes.substr(2), "UTF-16LE") : std::string(bytes);
  std::vector<std::string> rows;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    if (line.starts_with("#! ")) rows.push_back(line.substr(3));
  }
  return rows;
}

class Oddity : public ::testing::TestWithParam<fs::path> {};

TEST_P(Oddity, IsNamedAndRuns) {
  const std::string bytes = read(GetParam());
  std::vector<std::string> expected = expectations(bytes);
  const bool fatal =
      std::any_of(expected.begin(), expected.end(), [](const auto& row) { return row.find(" error ") != row.npos; });
  const Configuration loaded = config_test::load(bytes);
  std::vector<std::string> found = config_test::lines_of(loaded);
  std::sort(expected.begin(), expected.end());
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, expected);
  ASSERT_NE(loaded.find("a1"), nullptr);
  if (!fatal) {
    EXPECT_FALSE(loaded.find("a1")->sinks.empty());
  }
}

std::vector<fs::path> files() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(STANDPIPE_CONFIG_TESTDATA)) {
    if (entry.path().extension() == ".conf") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

INSTANTIATE_TEST_SUITE_P(Testdata, Oddity, ::testing::ValuesIn(files()),
                         [](const auto& test) { return test.param.stem().string(); });

}  // namespace
}  // namespace standpipe
