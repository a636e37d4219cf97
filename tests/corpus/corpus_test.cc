// Holds the checker against public configuration files that stay outside the repository: STANDPIPE_CORPUS names their
// folder. What must be said about each stands in <number>.tsv beside this file, written by hand (README.md).

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <gtest/gtest.h>

#include "agent/builtin.h"
#include "base/text.h"
#include "config/load.h"

namespace standpipe {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

struct Expected {
  std::string place;       // "12 error unknown-type a1.sinks.k1.type"
  std::string suggestion;  // "-": any
};

std::vector<Expected> read_expectations(const fs::path& path) {
  std::vector<Expected> rows;
  std::istringstream lines(read(path));
  std::string line;
  while (std::getline(lines, line)) {
    if (line.empty() || line.starts_with('#')) continue;
    const auto columns = split(line, '\t');
    if (columns.size() != 5) {
      ADD_FAILURE() << path << ": not five columns: " << line;
      continue;
    }
    std::string place;
    for (std::size_t i = 0; i < 4; ++i) place += (i == 0 ? "" : " ") + std::string(columns[i]);
    rows.push_back({std::move(place), std::string(columns[4])});
  }
  return rows;
}

std::string place_of(const Diagnostic& found) {
  return std::to_string(found.line) + " " + std::string(to_string(found.severity)) + " " +
         std::string(to_string(found.code)) + " " + found.key;
}

/// Takes the finding that a row expects out of the list; false: there is none.
bool take(Diagnostics& findings, const Expected& row) {
  const auto found = std::find_if(findings.begin(), findings.end(), [&](const Diagnostic& diagnostic) {
    const bool suggested = row.suggestion == "-" || diagnostic.suggestion.find(row.suggestion) != std::string::npos;
    return suggested && place_of(diagnostic) == row.place;
  });
  if (found == findings.end()) return false;
  findings.erase(found);
  return true;
}

std::vector<fs::path> corpus_files() {
  std::vector<fs::path> files;
  const char* folder = std::getenv("STANDPIPE_CORPUS");
  if (folder == nullptr) return files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".conf") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void compare(const fs::path& file) {
  const fs::path rows = fs::path(STANDPIPE_CORPUS_EXPECTATIONS) / (file.filename().string().substr(0, 3) + ".tsv");
  ASSERT_TRUE(fs::exists(rows)) << "no expectations for " << file;
  const ConfigText text{file.filename().string(), read(file)};
  const auto components = all_components();
  Diagnostics findings = load_configuration({&text, 1}, Catalog(components), {}).diagnostics;
  std::erase_if(findings, [](const Diagnostic& found) { return found.severity == Severity::note; });
  for (const Expected& row : read_expectations(rows)) {
    EXPECT_TRUE(take(findings, row)) << text.name << ": missing: " << row.place << " (" << row.suggestion << ")";
  }
  for (const Diagnostic& found : findings) {
    ADD_FAILURE() << text.name << ": surplus: " << place_of(found) << ": " << found.message << " | "
                  << found.suggestion;
  }
}

TEST(Corpus, EveryFileGetsTheDiagnosticsThatAReaderExpects) {
  const std::vector<fs::path> files = corpus_files();
  if (files.empty()) GTEST_SKIP() << "STANDPIPE_CORPUS names no folder with *.conf files";
  for (const fs::path& file : files) compare(file);
}

}  // namespace
}  // namespace standpipe
