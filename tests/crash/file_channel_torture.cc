// Tortures the file channel on a disk in memory that knows what a real one would have kept. The oracle numbers events,
// remembers what was acknowledged and what a sink said it had, and looks through what comes out after the fault:
//  - what was acknowledged and not committed comes, once, with its own bytes; of damage only where damage hit;
//  - nothing comes that was never put; what was committed comes again only where the note of it was lost;
//  - the channel opens again and takes new events.
//
//   file_channel_torture [--short | --long] [--row NAME] [--trials N] [--seed N] [--log FILE] [--sabotage FAILPOINT]
//
// Each trial is named by its row and seed: `--row R --seed S --trials 1` does it again. Without --seed the seeds start
// at the hour, so that every run tries others. With --sabotage the program is broken on purpose: it must find
// something.

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "channels/file/file_channel.h"
#include "crash/arguments.h"
#include "io/faulty_file_system.h"
#include "io/memory_file_system.h"
#include "support/engine_parts.h"
#include "support/test_environment.h"

namespace standpipe::crash {
namespace {

using Operation = FaultyFileSystem::Operation;
using Files = std::map<std::string, std::string>;

struct Options {
  bool is_long = false;
  std::string row = "all";
  std::int64_t trials = 0;  // 0: the form's own number
  std::uint64_t seed = 0;   // 0: the hour
  std::string log;
  std::string sabotage;
};

/// What is wrong with one trial; the first thing that was found.
class Verdict {
 public:
  template <typename... Parts>
  void fail(fmt::format_string<Parts...> text, Parts&&... parts) {
    if (!what_) what_ = fmt::format(text, std::forward<Parts>(parts)...);
  }
  bool good() const { return !what_; }
  const std::string& what() const { return *what_; }

 private:
  std::optional<std::string> what_;
};

std::string body_of(std::size_t number) {
  constexpr std::size_t kSizes[] = {0, 10, 300, 40, 4000, 100};
  std::string body = fmt::format("{:07} ", number);
  body.append(kSizes[number % std::size(kSizes)], static_cast<char>('a' + number % 26));
  return body;
}

// -- the trial --------------------------------------------------------------------------------------------------------

/// One channel on one disk, a random life of puts, takes, commits and stops, and what came of each event.
class Trial {
 public:
  explicit Trial(std::uint64_t seed) : random(seed) {}

  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random() % limit; }

  bool open() {
    channel.reset();
    stopped = false;
    channel = kFileChannel.create(settings(), world.environment).value();
    const Status started = channel->start();
    if (!started.ok()) why_closed = started.to_string();
    return started.ok();
  }

  void live(std::size_t steps) {
    for (std::size_t i = 0; i < steps; ++i) step();
  }

  void step() {
    switch (below(12)) {
      case 0: clock.advance(std::chrono::seconds(1 + below(40))); break;
      case 1:
        channel->stop();
        stopped = !channel->start().ok();
        break;
      case 2:
      case 3:
      case 4:
      case 5: take(); break;
      default: put(); break;
    }
  }

  void put() {
    Batch batch;
    const std::size_t first = next;
    const std::size_t count = 1 + below(below(5) == 0 ? 20 : 4);
    for (; next < first + count; ++next) batch.add_copy(body_of(next));
    const Status status = testing::put(*channel, std::make_shared<const Batch>(std::move(batch)));
    for (std::size_t i = first; status.ok() && i < next; ++i) acknowledged.insert(i);
  }

  void take() {
    auto taken = channel->take(1 + below(15));
    if (!taken.ok()) return taken.status().ignore();
    const std::size_t first = below(taken->size() / 3 + 1);
    const std::size_t last = first + below(taken->size() - first + 1);
    std::vector<std::size_t> numbers;
    for (std::size_t i = first; i < last; ++i) numbers.push_back(number_of((*taken)[i].body));
    for (const std::size_t number : numbers) committing.insert(number);
    if (!taken->commit(first, last).ok()) return;
    for (const std::size_t number : numbers) committed.insert(number);
  }

  /// The process ends: what it has open writes nothing any more.
  void die() {
    faults.fail_change(0, true);
    channel.reset();
    faults.heal();
  }

  /// Until puts work again; false when they don't.
  bool revive() {
    if (stopped && !open()) return false;  // a start that failed is tried again by the agent
    return testing::eventually([&] {
      clock.advance(std::chrono::seconds(1));
      auto room = channel->reserve(Batch());
      return room.ok();
    });
  }

  std::size_t number_of(std::string_view body) {
    const std::size_t number =
        body.size() < 8 ? next : std::strtoull(std::string(body.substr(0, 7)).c_str(), nullptr, 10);
    if (number >= next || body != body_of(number)) verdict.fail("an event that nobody put: {}", body.substr(0, 40));
    return std::min(number, next);
  }

  /// Opens the channel on the healed disk, takes everything and judges. `notes_lost`: commits may be forgotten.
  void judge(bool notes_lost) {
    if (!open()) return verdict.fail("it does not open again: {}", why_closed);
    std::vector<std::size_t> found;
    for (const std::string& body : testing::drain(*channel)) found.push_back(number_of(body));
    if (!std::is_sorted(found.begin(), found.end())) verdict.fail("out of order");
    if (std::adjacent_find(found.begin(), found.end()) != found.end()) verdict.fail("an event came twice");
    const std::set<std::size_t> there(found.begin(), found.end());
    newest = found.empty() ? 0 : found.back();
    for (const std::size_t event : acknowledged) {
      if (!there.contains(event) && !committing.contains(event)) lost.insert(event);
    }
    for (const std::size_t event : there) {
      if (committed.contains(event)) ++repeated;
    }
    if (!notes_lost && repeated > 0) verdict.fail("{} committed events came again", repeated);
    if (channel->size() != 0) verdict.fail("{} events are left after all were taken", channel->size());
    const std::size_t fresh = next;
    put();
    if (!acknowledged.contains(fresh)) return verdict.fail("it takes no events any more");
    std::vector<std::size_t> after;
    for (const std::string& body : testing::drain(*channel)) after.push_back(number_of(body));
    if (after.empty() || after.front() != fresh || after.size() != next - fresh)
      verdict.fail("new events don't come as put");
    channel->stop();
  }

  void expect_nothing_lost() {
    if (!lost.empty()) verdict.fail("{} acknowledged events are lost, the first is {}", lost.size(), *lost.begin());
  }

  std::int64_t reported() { return world.count("EventDamagedCount") + world.count("EventMissingCount"); }
  bool log_names(const std::string& path) { return world.log.contains(path); }
  std::vector<std::string> log_lines() const { return world.log.lines(); }

  std::mt19937_64 random;
  MemoryFileSystem disk;
  FaultyFileSystem faults{disk};
  VirtualClock clock;
  testing::TestEnvironment world{"c1", clock, faults};
  Verdict verdict;
  std::unique_ptr<Channel> channel;
  bool stopped = false;  // its last start failed
  std::string why_closed;
  std::size_t next = 0;
  std::set<std::size_t> acknowledged, committing, committed, lost;
  std::size_t repeated = 0;
  std::size_t newest = 0;  // of those that came

 private:
  static Settings settings() {
    return Settings::parse(*kFileChannel.info, {{"checkpointDir", "/c/checkpoint"},
                                                {"dataDirs", "/c/data1,/c/data2"},
                                                {"maxFileSize", "65536"},
                                                {"minimumRequiredSpace", "0"}})
        .value();
  }
};

// -- the rows ---------------------------------------------------------------------------------------------------------

constexpr std::size_t kSteps = 30;

// How many calls that change the disk a life of this seed makes.
std::size_t changes_of(std::uint64_t seed) {
  Trial trial(seed);
  constexpr std::size_t kFar = 1u << 20;
  trial.faults.fail_change(kFar, false);
  if (trial.open()) trial.live(kSteps);
  std::size_t calls = 0;
  for (const Operation operation :
       {Operation::open, Operation::write, Operation::sync, Operation::truncate, Operation::reserve, Operation::rename,
        Operation::remove, Operation::sync_directory}) {
    calls += trial.faults.calls(operation);
  }
  return calls;
}

/// The process ends at a write, sync, rename or unlink; of what was not synced the disk keeps all, or any part.
void crash(Trial& trial, std::uint64_t seed) {
  trial.faults.fail_change(trial.below(changes_of(seed)), true);
  if (trial.open()) trial.live(kSteps);
  trial.die();
  const bool reordered = trial.below(3) != 0;
  if (reordered) trial.disk.power_cut_torn(static_cast<std::uint32_t>(trial.random()));
  trial.judge(true);
  trial.expect_nothing_lost();
}

/// The power goes: every page and name that was not synced is gone. Several times in a row.
void power(Trial& trial, std::uint64_t seed) {
  const std::size_t lives = 1 + trial.below(3);
  for (std::size_t life = 0; life < lives; ++life) {
    if (life > 0 || trial.below(2) == 0) trial.faults.fail_change(trial.below(changes_of(seed)), true);
    if (trial.open()) trial.live(kSteps);
    trial.die();
    trial.disk.power_cut();
  }
  trial.judge(true);
  trial.expect_nothing_lost();
}

/// The last bytes of the segment that was written last, cut or overwritten at every byte of its last two records.
void torn(Trial& trial, std::uint64_t) {
  if (!trial.open()) return trial.verdict.fail("it does not open");
  trial.live(trial.below(kSteps));
  std::vector<std::size_t> lasts;
  Files before;
  for (int i = 0; i < 2; ++i) {
    if (i == 0) before = trial.disk.files();
    lasts.push_back(trial.next);
    trial.put();
  }
  trial.die();
  for (const auto& [path, content] : trial.disk.files()) {
    if (path.find("segment-") == std::string::npos || before[path] == content) continue;
    const std::string& old = before[path];
    std::size_t from = 0;
    while (from < old.size() && from < content.size() && old[from] == content[from]) ++from;
    const std::size_t end = content.find_last_not_of('\0') + 1;
    if (end <= from) continue;
    const std::size_t at = from + trial.below(end - from);
    const bool zeroed = trial.below(2) == 0;
    trial.disk.change(path, [&](std::string& now) {
      for (std::size_t i = at; i < end; ++i) now[i] = zeroed ? '\0' : static_cast<char>(trial.random());
    });
  }
  trial.judge(false);
  std::erase_if(trial.lost, [&](std::size_t event) { return event >= lasts.front(); });
  trial.expect_nothing_lost();
}

struct Damage {
  std::string path;
  std::size_t from, to;  // bytes that are not what they were
};

std::optional<Damage> damage_something(Trial& trial, const Files& files) {
  auto chosen = std::next(files.begin(), static_cast<std::ptrdiff_t>(trial.below(files.size())));
  const std::size_t used = std::min(chosen->second.find_last_not_of('\0') + 1, chosen->second.size());
  if (used == 0) return std::nullopt;
  Damage damage{chosen->first, trial.below(used), 0};
  damage.to = damage.from + 1;
  const std::size_t kind = trial.below(4);
  trial.disk.change(damage.path, [&](std::string& now) {
    if (kind == 0) {
      now.resize(damage.from);
      damage.to = used;
    } else if (kind == 1) {
      damage.to = std::min(used, damage.from + 1 + trial.below(3000));
      std::fill(now.begin() + static_cast<std::ptrdiff_t>(damage.from),
                now.begin() + static_cast<std::ptrdiff_t>(damage.to), '\0');
    } else if (kind == 2) {
      damage.to = std::min(used, damage.from + 1 + trial.below(200));
      for (std::size_t i = damage.from; i < damage.to; ++i) now[i] = static_cast<char>(trial.random());
    } else {
      now[damage.from] = static_cast<char>(now[damage.from] ^ (1 << trial.below(8)));
    }
  });
  return damage;
}

/// Where an event stands: with what is before its body in its record, or in the record's list of events.
bool hit(const Files& files, const Damage& damage, std::size_t event) {
  constexpr std::size_t kAround = 64;
  const auto file = files.find(damage.path);
  const std::size_t at = file->second.find(body_of(event));
  if (at == std::string::npos) return false;
  const std::size_t end = at + body_of(event).size() + kAround;
  const std::size_t from = at > kAround ? at - kAround : 0;
  return damage.from < end && from < damage.to;
}

/// Bytes flipped, zeroed, overwritten or cut off, anywhere in any file.
void damage(Trial& trial, std::uint64_t) {
  if (!trial.open()) return trial.verdict.fail("it does not open");
  trial.live(kSteps);
  trial.die();
  const Files before = trial.disk.files();
  if (before.empty()) return;
  const auto damaged = damage_something(trial, before);
  if (!damaged) return;
  if (!trial.open()) {
    // A format number that reads as a newer one keeps the channel shut, and the files as they are.
    if (trial.why_closed.find("use a newer one") == std::string::npos) trial.verdict.fail("shut: {}", trial.why_closed);
    return;
  }
  trial.die();
  trial.judge(true);
  const bool in_events = damaged->path.find("segment-") != std::string::npos;
  for (const std::size_t event : trial.lost) {
    if (!in_events || !hit(before, *damaged, event)) {
      trial.verdict.fail("event {} is lost, and the damage, bytes {} to {} of {}, did not hit it", event, damaged->from,
                         damaged->to, damaged->path);
    }
  }
  // The newest records, gone without a trace, look like records that were never written.
  const bool were_newest = !trial.lost.empty() && *trial.lost.begin() > trial.newest;
  if (!trial.lost.empty() && !were_newest && trial.reported() == 0 && !trial.log_names(damaged->path)) {
    trial.verdict.fail("{} events are lost, the first is {}, and nobody said so; bytes {} to {} of {} are damaged",
                       trial.lost.size(), *trial.lost.begin(), damaged->from, damaged->to, damaged->path);
  }
}

/// No room for a while, from any write on.
void full_disk(Trial& trial, std::uint64_t) {
  if (!trial.open()) return trial.verdict.fail("it does not open");
  trial.live(trial.below(kSteps));
  std::uint64_t used = 0;
  for (const auto& [path, content] : trial.disk.files()) used += content.size();
  trial.disk.set_capacity(used + trial.below(20'000));
  trial.live(trial.below(kSteps));
  trial.disk.set_capacity(std::uint64_t{1} << 40);
  if (!trial.revive()) return trial.verdict.fail("it takes nothing although there is room again");
  trial.live(5);
  if (trial.below(2) == 0) trial.die();
  trial.judge(true);
  trial.expect_nothing_lost();
}

/// Calls of one kind fail a few times, some of them half done.
void io_errors(Trial& trial, std::uint64_t) {
  constexpr Operation kCalls[] = {Operation::open,     Operation::read,           Operation::write,
                                  Operation::sync,     Operation::reserve,        Operation::info,
                                  Operation::list,     Operation::rename,         Operation::remove,
                                  Operation::truncate, Operation::sync_directory, Operation::make_directories};
  const bool before_start = trial.below(4) == 0;
  if (!before_start && !trial.open()) return trial.verdict.fail("it does not open");
  if (!before_start) trial.live(trial.below(kSteps));
  const Operation call = kCalls[trial.below(std::size(kCalls))];
  trial.faults.inject(
      {.operation = call, .after = trial.below(12), .times = 1 + trial.below(4), .half_done = trial.below(2) == 0});
  if (before_start && !trial.open()) {
    trial.faults.heal();
    if (!trial.open()) return trial.verdict.fail("it does not open: {}", trial.why_closed);
  }
  trial.live(trial.below(kSteps));
  trial.faults.heal();
  if (!trial.revive()) return trial.verdict.fail("it takes nothing although the disk works again");
  trial.live(5);
  if (trial.below(2) == 0) trial.die();
  trial.judge(true);
  trial.expect_nothing_lost();
}

struct Row {
  std::string_view name;
  void (*run)(Trial&, std::uint64_t seed);
  std::int64_t in_short;
  std::int64_t in_long;
  std::string_view what;
};

constexpr Row kRows[] = {
    {"crash", &crash, 500, 100'000, "the process ends at any call, un-synced writes in any order"},
    {"power", &power, 2'000, 100'000, "the power goes: all that was not synced is gone"},
    {"torn", &torn, 1'000, 100'000, "the last two records torn at any byte"},
    {"damage", &damage, 5'000, 1'000'000, "bytes flipped, zeroed, overwritten, cut off in any file"},
    {"full-disk", &full_disk, 500, 20'000, "no room from any write on, and room again"},
    {"io-errors", &io_errors, 500, 20'000, "any call fails a few times, some half done"},
};

// -- the driver -------------------------------------------------------------------------------------------------------

struct Sum {
  std::int64_t trials = 0, bad = 0;
  std::size_t acknowledged = 0, lost = 0, repeated = 0;
};

void keep_log(const Trial& trial, const std::string& path) {
  if (path.empty()) return;
  std::ofstream out(path);
  for (const std::string& line : trial.log_lines()) out << line << "\n";
}

bool torture(const Row& row, const Options& options) {
  const std::int64_t trials = options.trials > 0 ? options.trials : options.is_long ? row.in_long : row.in_short;
  Sum sum;
  for (std::int64_t i = 0; i < trials; ++i) {
    const std::uint64_t seed = options.seed + static_cast<std::uint64_t>(i);
    Trial trial(seed);
    row.run(trial, seed);
    ++sum.trials;
    sum.acknowledged += trial.acknowledged.size();
    sum.lost += trial.lost.size();
    sum.repeated += trial.repeated;
    if (trial.verdict.good()) continue;
    if (sum.bad++ < 5)
      fmt::print("  NOT GOOD: --row {} --seed {} --trials 1: {}\n", row.name, seed, trial.verdict.what());
    if (sum.bad == 1) keep_log(trial, options.log);
    if (!options.sabotage.empty()) break;
  }
  fmt::print("{:10} {:>9} trials from seed {}: {} not good; {} events acknowledged, {} lost, {} came again\n", row.name,
             sum.trials, options.seed, sum.bad, sum.acknowledged, sum.lost, sum.repeated);
  std::fflush(stdout);
  return sum.bad == 0;
}

Options parse(int count, char** values) {
  Options options;
  Arguments arguments;
  arguments.flag("short", [&] { options.is_long = false; });
  arguments.flag("long", [&] { options.is_long = true; });
  arguments.text("row", options.row);
  arguments.text("log", options.log);
  arguments.text("sabotage", options.sabotage);
  arguments.number("trials", options.trials);
  arguments.number("seed", options.seed);
  arguments.parse(count, values);
  if (options.seed == 0) {
    using namespace std::chrono;
    const auto hour = duration_cast<hours>(system_clock::now().time_since_epoch()).count();
    options.seed = static_cast<std::uint64_t>(hour % 10'000) * 1'000'000;
  }
  return options;
}

}  // namespace
}  // namespace standpipe::crash

int main(int count, char** values) {
  using namespace standpipe::crash;
  const Options options = parse(count, values);
  if (!options.sabotage.empty()) ::setenv("STANDPIPE_FAILPOINTS", (options.sabotage + "=sabotage").c_str(), 1);
  int tried = 0;
  int good = 0;
  for (const Row& row : kRows) {
    if (options.row != "all" && options.row != row.name) continue;
    ++tried;
    if (torture(row, options)) ++good;
    if (good < tried && !options.sabotage.empty()) break;
  }
  if (tried == 0) fmt::print(stderr, "torture: unknown row {}\n", options.row);
  if (options.sabotage.empty()) return tried > 0 && good == tried ? 0 : 1;
  fmt::print("{}: {}\n", options.sabotage, good < tried ? "caught" : "NOT CAUGHT");
  return good < tried ? 0 : 1;
}
