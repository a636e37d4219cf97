// Tortures taildir: a writer that never waits, every scheme of rotation, kills at named places. The oracle stands
// outside the agent:
//  - a line counts as readable when its bytes stood in a matching file, neither truncated nor unlinked, for
//    `--readable-ms` while the agent ran. Of these none may be lost.
//  - a line may come again only in a later life of the agent, and only when no position on disk lay behind it.
//
//   taildir_torture [--short | --long] [--scheme NAME|all] [--rotations N] [--kills N] [--rate LINES-A-SECOND]
//                   [--readable-ms N] [--gather-ms N] [--stall-ms N] [--seed N] [--log FILE]
//                   [--sabotage FAILPOINT]
//
// With --sabotage the program is broken on purpose in every life: then it must find something.

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <fmt/format.h>

#include "base/check.h"
#include "crash/agents.h"
#include "crash/arguments.h"
#include "crash/rotating_writer.h"
#include "sources/taildir/position_file.h"
#include "sources/taildir/taildir_source.h"

namespace standpipe::crash {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string scheme = "all";
  int rotations = 40;
  int kills = 5;
  int rate = 20'000;
  int readable_ms = 100;
  int gather_ms = 20;
  int stall_ms = 0;
  unsigned seed = 1;
  std::string log;  // where the agents' log goes when something is wrong
  std::string sabotage;
};

constexpr std::string_view kPlaces[] = {"taildir.after_read", "taildir.after_deliver", "taildir.before_position_write",
                                        "taildir.after_position_tmp", "taildir.after_position_rename"};

// A pass of the place that comes within `span_us`, by how often each is passed.
int some_pass(std::string_view place, std::mt19937& random, std::int64_t span_us) {
  const std::int64_t gap_us = place.find("position") == std::string_view::npos ? 8'000 : 300'000;
  return 1 + static_cast<int>(random() % static_cast<unsigned>(std::max<std::int64_t>(span_us / gap_us, 2)));
}

// ---------------------------------------------------------------------------------------------------------- the oracle

// The positions that stood on disk when a life began.
std::vector<taildir::Knowledge> saved_positions(const std::string& position_file) {
  const auto text = read_file(real_file_system(), taildir::knowledge_path(position_file));
  if (!text.ok()) {
    CHECK(text.status().code() == Code::not_found);
    return {};
  }
  const auto knowledge = taildir::parse_knowledge(*text);
  CHECK(knowledge.ok());
  return knowledge->files;
}

struct Outcome {
  std::int64_t readable = 0, lost = 0, stored = 0, twice_in_a_run = 0, before_position = 0, bad = 0;
  std::int64_t duplicates = 0, most_duplicates_a_run = 0;
};

class Oracle {
 public:
  Oracle(const RotatingWriter& writer, const std::vector<std::vector<taildir::Knowledge>>& saved)
      : writer_(writer), saved_(saved), last_run_(static_cast<std::size_t>(writer.lines()), 0) {
    safe_until_.resize(writer.contents().size(), 0);
  }

  Outcome judge(const Agents& agents, std::int64_t readable_us) {
    read_stored(agents.stored_path());
    for (const Written& written : writer_.written()) {
      const std::int64_t until = writer_.contents()[written.content].ended_us.load();
      const bool readable = std::any_of(agents.ran().begin(), agents.ran().end(), [&](const Interval& ran) {
        return std::min(until, ran.to) - std::max(written.at_us, ran.from) >= readable_us;
      });
      if (readable) count_lost(written);
    }
    return outcome_;
  }

 private:
  void read_stored(const std::string& path) {
    std::ifstream stored(path);
    std::string text;
    while (std::getline(stored, text)) {
      if (text.starts_with("run ")) {
        outcome_.most_duplicates_a_run = std::max(outcome_.most_duplicates_a_run, duplicates_of_run_);
        duplicates_of_run_ = 0;
        begin_run(std::atoi(text.c_str() + 4));
      } else if (text.size() != RotatingWriter::kNumberSize) {
        ++outcome_.bad;
      } else {
        note_stored(std::atoll(text.c_str()));
      }
    }
    outcome_.most_duplicates_a_run = std::max(outcome_.most_duplicates_a_run, duplicates_of_run_);
  }

  // What was delivered before a position that is on disk never comes again.
  void begin_run(int run) {
    run_ = run;
    if (!writer_.has_offsets()) return;
    for (const taildir::Knowledge& saved : saved_[static_cast<std::size_t>(run - 1)]) {
      for (std::size_t i = 0; i < writer_.contents().size(); ++i) {
        const Content& content = writer_.contents()[i];
        if (content.inode != saved.inode || !is_head(content, saved.head)) continue;
        const auto lines = static_cast<std::int64_t>(saved.offset / RotatingWriter::kLineSize);
        safe_until_[i] = std::max(safe_until_[i], content.first_line + lines);
      }
    }
  }

  static bool is_head(const Content& content, const taildir::Fingerprint& head) {
    std::string text;
    for (std::int64_t line = content.first_line; text.size() < head.size; ++line) text += RotatingWriter::line(line);
    return head.size > 0 && taildir::Fingerprint::of(std::string_view(text).substr(0, head.size)) == head;
  }

  void note_stored(std::int64_t line) {
    CHECK(line < writer_.lines());
    ++outcome_.stored;
    int& last = last_run_[static_cast<std::size_t>(line)];
    if (last == run_) ++outcome_.twice_in_a_run;
    if (last != 0 && last != run_) {
      ++outcome_.duplicates;
      ++duplicates_of_run_;
      if (line < safe_until_[content_of(line)]) ++outcome_.before_position;
    }
    last = run_;
  }

  std::size_t content_of(std::int64_t line) const {
    const auto behind =
        std::upper_bound(writer_.contents().begin(), writer_.contents().end(), line,
                         [](std::int64_t number, const Content& content) { return number < content.first_line; });
    return static_cast<std::size_t>(behind - writer_.contents().begin()) - 1;
  }

  void count_lost(const Written& written) {
    outcome_.readable += written.end - written.first;
    for (std::int64_t line = written.first; line < written.end; ++line) {
      if (last_run_[static_cast<std::size_t>(line)] == 0) ++outcome_.lost;
    }
  }

  const RotatingWriter& writer_;
  const std::vector<std::vector<taildir::Knowledge>>& saved_;
  std::vector<int> last_run_;             // by line: the life that stored it last; 0: none
  std::vector<std::int64_t> safe_until_;  // by content: the first line that may come again
  int run_ = 0;
  std::int64_t duplicates_of_run_ = 0;
  Outcome outcome_;
};

// ---------------------------------------------------------------------------------------------------------- the driver

void print(const RotatingWriter& writer, const Agents& agents, const Outcome& outcome, const Options& options) {
  fmt::print("  writer: {} rotations, {} lines, {:.0f} lines/s; {} contents under an inode number used before\n",
             writer.rotations(), writer.lines(), static_cast<double>(writer.lines()) / writer.seconds(),
             writer.reused_inodes());
  fmt::print("  kills:");
  for (const auto& [place, count] : agents.kills()) fmt::print(" {} {};", place, count);
  fmt::print(" the machine held an agent up {} times\n", agents.starved());
  fmt::print("  lines: {} readable for {} ms, of these {} lost; {} stored, {} in pieces\n", outcome.readable,
             options.readable_ms, outcome.lost, outcome.stored, outcome.bad);
  fmt::print("  duplicates: {} after kills (at most {} after one), {} behind a position on disk, {} within a life\n",
             outcome.duplicates, outcome.most_duplicates_a_run, outcome.before_position, outcome.twice_in_a_run);
}

bool torture(const std::string& scheme, const Options& options) {
  testing::TemporaryDirectory directory;
  const std::string logs = directory.file("logs");
  const std::string position_file = directory.file("position.json");
  fs::create_directories(logs);
  RotatingWriter writer({scheme, logs, options.rotations, options.rate, options.seed});
  Agents agents(
      directory.path(),
      {.source = kTaildirSource,
       .settings = {{"filegroups", "g"},
                    {"filegroups.g", logs + "/" + writer.pattern()},
                    {"positionFile", position_file},
                    {"writePosInterval", "200"},
                    {"batchSize", "100"}},
       .channel = {.text_of = RotatingWriter::text_of, .gather_ms = options.gather_ms, .stall_ms = options.stall_ms},
       .sabotage = options.sabotage});
  std::mt19937 random(options.seed + 5);
  std::vector<std::vector<taildir::Knowledge>> saved;
  std::atomic<bool> done{false};
  std::jthread writing;
  const auto start = [&](std::string_view place, std::int64_t span) {
    saved.push_back(saved_positions(position_file));
    agents.start(std::string(place), place.empty() ? 0 : some_pass(place, random, span));
    if (writing.joinable()) return;
    writing = std::jthread([&] {
      writer.run();
      done = true;
    });
  };
  for (int kill = 0; kill < options.kills; ++kill) {
    const int left = options.rotations - writer.rotations();
    const std::int64_t span = RotatingWriter::kMeanGapUs * left / (options.kills - kill + 1);
    start(kPlaces[static_cast<std::size_t>(kill) % std::size(kPlaces)], span);
    if (!agents.wait_for_end(span * 2, [&] { return done.load(); })) agents.end(SIGKILL);
    ::usleep(static_cast<useconds_t>(random() % 100'000));
  }
  start("", 0);
  writing.join();
  agents.wait_for_silence();
  agents.end(SIGTERM);

  const Outcome outcome = Oracle(writer, saved).judge(agents, std::int64_t{options.readable_ms} * 1000);
  const bool good = outcome.lost == 0 && outcome.twice_in_a_run == 0 && outcome.before_position == 0 &&
                    outcome.bad == 0 && outcome.readable > 0;
  fmt::print("{}: {}\n", scheme, good ? "good" : "NOT GOOD");
  print(writer, agents, outcome, options);
  std::fflush(stdout);
  if (!good && !options.log.empty()) {
    fs::copy_file(directory.file("agent.log"), options.log, fs::copy_options::overwrite_existing);
  }
  return good;
}

Options parse(int count, char** values) {
  Options options;
  Arguments arguments;
  const auto form = [&options](int rotations, int kills) {
    return [&options, rotations, kills] {
      options.rotations = rotations;
      options.kills = kills;
    };
  };
  arguments.flag("short", form(40, 5));
  arguments.flag("long", form(1000, 50));
  arguments.text("scheme", options.scheme);
  arguments.text("log", options.log);
  arguments.text("sabotage", options.sabotage);
  arguments.number("rotations", options.rotations);
  arguments.number("kills", options.kills);
  arguments.number("rate", options.rate);
  arguments.number("readable-ms", options.readable_ms);
  arguments.number("gather-ms", options.gather_ms);
  arguments.number("stall-ms", options.stall_ms);
  arguments.number("seed", options.seed);
  arguments.parse(count, values);
  return options;
}

}  // namespace
}  // namespace standpipe::crash

int main(int count, char** values) {
  standpipe::crash::leave_thread_sanitizer_out();
  using standpipe::crash::RotatingWriter;
  const auto options = standpipe::crash::parse(count, values);
  int tried = 0;
  int good = 0;
  for (const std::string_view scheme : RotatingWriter::kSchemes) {
    if (options.scheme != "all" && options.scheme != scheme) continue;
    ++tried;
    if (standpipe::crash::torture(std::string(scheme), options)) ++good;
  }
  if (tried == 0) fmt::print(stderr, "torture: unknown scheme {}\n", options.scheme);
  if (options.sabotage.empty()) return tried > 0 && good == tried ? 0 : 1;
  fmt::print("{}: {}\n", options.sabotage, good < tried ? "caught" : "NOT CAUGHT");
  return good < tried ? 0 : 1;
}
