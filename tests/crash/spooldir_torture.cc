// Tortures spooldir: files come at a steady rate, the agent is killed at named places. The oracle stands outside the
// agent: of every file each line is stored; it comes again only in a later life of the agent, only when its file was
// not finished yet when that life began, and only from the tracker's position on.
//
//   spooldir_torture [--short | --long] [--files N] [--kills N] [--gap-ms N] [--gather-ms N] [--seed N] [--log FILE]
//                    [--sabotage FAILPOINT]
//
// With --sabotage the program is broken on purpose in every life: then it must find something.

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <thread>

#include <fmt/format.h>

#include "base/check.h"
#include "crash/agents.h"
#include "crash/arguments.h"
#include "crash/rotating_writer.h"
#include "sources/spooldir/spooldir_source.h"
#include "sources/spooldir/tracker_file.h"

namespace standpipe::crash {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kSuffix = ".COMPLETED";
constexpr std::string_view kPlaces[] = {"spooldir.after_read",          "spooldir.after_deliver",
                                        "spooldir.before_finish",       "spooldir.after_finish",
                                        "spooldir.after_position_tmp",  "spooldir.before_position_write",
                                        "spooldir.after_position_write"};

struct Options {
  int files = 60;
  int kills = 14;
  int gap_ms = 60;
  int gather_ms = 20;
  unsigned seed = 1;
  std::string log;
  std::string sabotage;
};

std::string text_of(std::string_view body) { return body.empty() ? "empty" : RotatingWriter::text_of(body); }

struct SpoolFile {
  std::int64_t first_line = 0;
  std::int64_t lines = 0;
};

// --------------------------------------------------------------------------------------------------------- the feeder

// Mostly small files, some without a byte, some that take several of the tracker's positions.
std::vector<SpoolFile> plan_files(const Options& options) {
  std::mt19937 random(options.seed);
  std::vector<SpoolFile> files(static_cast<std::size_t>(options.files));
  std::int64_t next = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto size = static_cast<std::int64_t>(random());
    files[i] = {next, i % 4 == 3 ? 10'000 + size % 20'000 : i % 10 == 0 ? 0 : size % 300};
    next += files[i].lines;
  }
  return files;
}

std::string name_of(std::size_t file) { return fmt::format("f{:05}.log", file); }

// Files are complete before they get their name in the folder.
void feed(const std::vector<SpoolFile>& files, const std::string& folder, const Options& options) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string staged = folder + "/staged";
    std::ofstream out(staged);
    for (std::int64_t k = 0; k < files[i].lines; ++k) out << RotatingWriter::line(files[i].first_line + k);
    out.close();
    CHECK(out.good());
    fs::rename(staged, folder + "/spool/" + name_of(i));
    ::usleep(static_cast<useconds_t>(options.gap_ms) * 1000);
  }
}

// --------------------------------------------------------------------------------------------------------- the oracle

struct Outcome {
  std::int64_t lines = 0, stored = 0, lost = 0, duplicates = 0, most_duplicates_a_run = 0;
  std::int64_t behind = 0, twice_in_a_run = 0, bad = 0;
};

class Oracle {
 public:
  explicit Oracle(const std::vector<SpoolFile>& files) : files_(files) {
    lines_ = files.back().first_line + files.back().lines;
    last_run_.resize(static_cast<std::size_t>(lines_), 0);
    empty_files_ = std::count_if(files.begin(), files.end(), [](const SpoolFile& file) { return file.lines == 0; });
  }

  /// What a life may not store any more, as it stands in the folder when it begins.
  void note_state(const std::string& folder) {
    Line& limits = safe_until_.emplace_back(files_.size());
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (fs::exists(folder + "/spool/" + name_of(i) + std::string(kSuffix))) limits[i] = files_[i].lines;
    }
    const auto text =
        read_file(real_file_system(), folder + "/spool/.flumespool/" + std::string(spooldir::TrackerFile::kName));
    if (!text.ok()) return;
    const auto tracked = spooldir::parse_tracker(*text);
    CHECK(tracked.ok());
    if (!tracked->has_value()) return;
    const auto file = static_cast<std::size_t>(std::atoll(fs::path((*tracked)->file).filename().c_str() + 1));
    const auto delivered = static_cast<std::int64_t>((*tracked)->offset / RotatingWriter::kLineSize);
    limits[file] = std::max(limits[file], delivered);
  }

  Outcome judge(const Agents& agents) {
    std::ifstream stored(agents.stored_path());
    std::string text;
    std::int64_t empty = 0;
    while (std::getline(stored, text)) {
      if (text.starts_with("run ")) {
        run_ = std::atoi(text.c_str() + 4);
        duplicates_of_run_ = 0;
      } else if (text == "empty") {
        ++empty;
      } else if (text.size() != RotatingWriter::kNumberSize) {
        ++outcome_.bad;
      } else {
        note_stored(std::atoll(text.c_str()));
      }
    }
    outcome_.lines = lines_;
    outcome_.lost = std::count(last_run_.begin(), last_run_.end(), 0) + std::max<std::int64_t>(empty_files_ - empty, 0);
    return outcome_;
  }

 private:
  using Line = std::vector<std::int64_t>;  // by file

  void note_stored(std::int64_t line) {
    CHECK(line < lines_);
    ++outcome_.stored;
    int& last = last_run_[static_cast<std::size_t>(line)];
    if (last == run_) ++outcome_.twice_in_a_run;
    if (last != 0 && last != run_) {
      ++outcome_.duplicates;
      outcome_.most_duplicates_a_run = std::max(outcome_.most_duplicates_a_run, ++duplicates_of_run_);
    }
    last = run_;
    const auto behind =
        std::upper_bound(files_.begin(), files_.end(), line,
                         [](std::int64_t number, const SpoolFile& file) { return number < file.first_line; });
    const auto file = static_cast<std::size_t>(behind - files_.begin()) - 1;
    const Line& limits = safe_until_[static_cast<std::size_t>(run_ - 1)];
    if (line - files_[file].first_line < limits[file]) ++outcome_.behind;
  }

  const std::vector<SpoolFile>& files_;
  std::int64_t lines_;
  std::int64_t empty_files_;
  std::vector<int> last_run_;     // by line: the life that stored it last; 0: none
  std::vector<Line> safe_until_;  // by life
  int run_ = 0;
  std::int64_t duplicates_of_run_ = 0;
  Outcome outcome_;
};

// --------------------------------------------------------------------------------------------------------- the driver

std::size_t finished_files(const std::string& spool) {
  return static_cast<std::size_t>(std::count_if(
      fs::directory_iterator(spool), fs::directory_iterator(),
      [](const auto& entry) { return entry.path().filename().string().ends_with(".log" + std::string(kSuffix)); }));
}

// How often each place is passed while one file comes.
int some_pass(std::string_view place, std::mt19937& random, int files) {
  const int a_file = place == "spooldir.after_read" || place == "spooldir.after_deliver" ? 100 : 1;
  return 1 + static_cast<int>(random() % static_cast<unsigned>(std::max(files * a_file, 2)));
}

bool torture(const Options& options) {
  testing::TemporaryDirectory directory;
  const std::string spool = directory.file("spool");
  fs::create_directories(spool);
  const std::vector<SpoolFile> files = plan_files(options);
  Agents agents(directory.path(), {.source = kSpooldirSource,
                                   .settings = {{"spoolDir", spool}, {"batchSize", "10"}, {"pollDelay", "20"}},
                                   .channel = {.text_of = text_of, .gather_ms = options.gather_ms, .stall_ms = 0},
                                   .sabotage = options.sabotage});
  Oracle oracle(files);
  std::mt19937 random(options.seed + 5);
  std::jthread feeding;
  const auto all_finished = [&] { return finished_files(spool) == files.size(); };
  const int share = std::max(options.files / (options.kills + 1), 1);
  for (int kill = 0; kill < options.kills; ++kill) {
    const std::string_view place = kPlaces[static_cast<std::size_t>(kill) % std::size(kPlaces)];
    oracle.note_state(directory.path());
    agents.start(std::string(place), some_pass(place, random, share));
    if (!feeding.joinable()) feeding = std::jthread([&] { feed(files, directory.path(), options); });
    const std::int64_t limit = std::int64_t{share} * options.gap_ms * 1500;
    if (!agents.wait_for_end(limit, [] { return false; })) agents.end(SIGKILL);
  }
  oracle.note_state(directory.path());
  agents.start();
  if (!feeding.joinable()) feeding = std::jthread([&] { feed(files, directory.path(), options); });
  constexpr std::int64_t kEndUs = 120'000'000;
  CHECK(!agents.wait_for_end(kEndUs, all_finished));
  agents.end(SIGTERM);

  const Outcome outcome = oracle.judge(agents);
  const std::size_t finished = finished_files(spool);
  const bool good = finished == files.size() && outcome.lost == 0 && outcome.behind == 0 &&
                    outcome.twice_in_a_run == 0 && outcome.bad == 0;
  fmt::print("spooldir: {}\n  files: {}, of these {} finished; kills:", good ? "good" : "NOT GOOD", files.size(),
             finished);
  for (const auto& [place, count] : agents.kills()) fmt::print(" {} {};", place, count);
  fmt::print("\n  lines: {}, of these {} lost; {} stored, {} in pieces\n", outcome.lines, outcome.lost, outcome.stored,
             outcome.bad);
  fmt::print("  duplicates: {} after kills (at most {} after one), {} behind the tracker, {} within a life\n",
             outcome.duplicates, outcome.most_duplicates_a_run, outcome.behind, outcome.twice_in_a_run);
  if (!good && !options.log.empty()) {
    fs::copy_file(directory.file("agent.log"), options.log, fs::copy_options::overwrite_existing);
  }
  return good;
}

Options parse(int count, char** values) {
  Options options;
  Arguments arguments;
  const auto form = [&options](int files, int kills) {
    return [&options, files, kills] {
      options.files = files;
      options.kills = kills;
    };
  };
  arguments.flag("short", form(60, 14));
  arguments.flag("long", form(1000, 50));
  arguments.text("log", options.log);
  arguments.text("sabotage", options.sabotage);
  arguments.number("files", options.files);
  arguments.number("kills", options.kills);
  arguments.number("gap-ms", options.gap_ms);
  arguments.number("gather-ms", options.gather_ms);
  arguments.number("seed", options.seed);
  arguments.parse(count, values);
  return options;
}

}  // namespace
}  // namespace standpipe::crash

int main(int count, char** values) {
  standpipe::crash::leave_thread_sanitizer_out();
  const auto options = standpipe::crash::parse(count, values);
  const bool good = standpipe::crash::torture(options);
  if (options.sabotage.empty()) return good ? 0 : 1;
  fmt::print("{}: {}\n", options.sabotage, good ? "NOT CAUGHT" : "caught");
  return good ? 1 : 0;
}
