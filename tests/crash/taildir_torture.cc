// Tortures taildir: a writer that never waits, every scheme of rotation, kills at named places. The oracle stands
// outside the agent: a line counts when its bytes stood in a matching file, neither truncated nor unlinked, for
// `--readable-ms` while the agent ran. Of these none may be lost; none may come twice within one life of the agent.
//
//   taildir_torture [--scheme rename|copytruncate|dated|delete|all] [--rotations 1000] [--kills 50] [--rate 20000]
//                   [--readable-ms 100] [--seed 1] [--log file]

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "base/check.h"
#include "base/failpoint.h"
#include "crash/agent_life.h"
#include "crash/durable_file_ingest.h"
#include "sources/taildir/taildir_source.h"
#include "support/test_environment.h"

namespace standpipe::crash {
namespace {

namespace fs = std::filesystem;
constexpr int kTickUs = 2'000;
constexpr std::string_view kPadding = " GET /index.html?page=1 HTTP/1.1 200 5316";

struct Arguments {
  std::string scheme = "all";
  int rotations = 1000;
  int kills = 50;
  int rate = 20'000;
  int readable_ms = 100;
  unsigned seed = 1;
  std::string log;  // where the agents' log goes when lines were lost
};

// ---------------------------------------------------------------------------------------------------------- the agent

// "seq" for a whole line, "bad" for anything else: a line in pieces would show.
std::string text_of(std::string_view body) {
  const bool whole = body.size() == 10 + kPadding.size() && body.ends_with(kPadding) &&
                     body.substr(0, 10).find_first_not_of("0123456789") == std::string_view::npos;
  return whole ? std::string(body.substr(0, 10)) : "bad";
}

// A log that outlives the agent, for who looks into a failure.
class AppendingLog final : public Log {
 public:
  explicit AppendingLog(const std::string& path) : out_(path, std::ios::app) {}
  bool enabled(Level) const override { return true; }
  void write(Level, std::string_view message) override {
    std::lock_guard lock(mutex_);
    out_ << steady_us() << " " << message << std::endl;
  }

 private:
  std::mutex mutex_;
  std::ofstream out_;
};

// Runs until it is killed or told to end by SIGTERM.
[[noreturn]] void run_agent(const std::string& folder, const std::string& pattern, AgentLife& life) {
  sigset_t terminate;
  sigemptyset(&terminate);
  sigaddset(&terminate, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &terminate, nullptr);
  {
    testing::TestEnvironment test("r1");
    AppendingLog log(folder + "/agent.log");
    Environment environment{"a1",    "r1",        folder,       log, test.system_clock, real_file_system(),
                            nullptr, test.budget, test.counters};
    auto out = real_file_system().open(folder + "/stored", FileSystem::Mode::append);
    CHECK(out.ok());
    DurableFileIngest ingest(std::move(*out), text_of);
    auto settings = Settings::parse(kTaildirInfo, {{"filegroups", "g"},
                                                   {"filegroups.g", folder + "/logs/" + pattern},
                                                   {"positionFile", folder + "/position.json"},
                                                   {"writePosInterval", "200"},
                                                   {"batchSize", "100"}});
    CHECK(settings.ok());
    auto source = kTaildirSource.create(*settings, environment);
    CHECK(source.ok());
    CHECK((*source)->start(ingest).ok());
    life.started_us.store(steady_us());
    std::jthread heart([&](std::stop_token stop) {
      while (!stop.stop_requested()) {
        life.beat();
        ::usleep(1000);
      }
    });
    std::jthread runner([&](std::stop_token stop) { CHECK((*source)->run(stop).ok()); });
    int signal = 0;
    sigwait(&terminate, &signal);
    runner.request_stop();
    runner.join();
    (*source)->stop();
  }
  ::_exit(0);
}

// ---------------------------------------------------------------------------------------------------------- the writer

// One content of one file, from its first byte to truncation, unlinking or renaming out of the pattern.
struct Content {
  std::atomic<std::int64_t> ended_us{std::numeric_limits<std::int64_t>::max()};
};
struct Written {
  std::int64_t first;
  std::int64_t end;
  std::int64_t at_us;
  std::size_t content;
};

class Writer {
 public:
  Writer(std::string scheme, std::string folder, const Arguments& arguments)
      : scheme_(std::move(scheme)), folder_(std::move(folder)), arguments_(arguments), random_(arguments.seed) {
    begin_content();
    open();
  }

  // Writes and rotates until all rotations are done.
  void run() {
    std::int64_t next_rotation = steady_us() + rotation_gap();
    std::int64_t owed_since = steady_us();
    while (rotations_ < arguments_.rotations) {
      const std::int64_t now = steady_us();
      const std::int64_t lines = (now - owed_since) * arguments_.rate / 1'000'000;
      if (lines > 0) {
        write(lines);
        owed_since += lines * 1'000'000 / arguments_.rate;
      }
      if (now >= next_rotation) {
        rotate();
        next_rotation = now + rotation_gap();
      }
      ::usleep(kTickUs);
    }
  }

  const std::vector<Written>& written() const { return written_; }
  const std::deque<Content>& contents() const { return contents_; }
  std::int64_t lines() const { return next_line_; }
  int rotations() const { return rotations_; }
  std::string pattern() const { return scheme_ == "dated" ? "app-[0-9]+\\.log" : "app\\.log"; }

 private:
  std::int64_t rotation_gap() { return (110 + static_cast<std::int64_t>(random_() % 110)) * 1000; }
  std::string path() const {
    return folder_ + (scheme_ == "dated" ? fmt::format("/app-{:06}.log", rotations_.load()) : "/app.log");
  }
  void begin_content() { contents_.emplace_back(); }
  void end_content(std::size_t index) { contents_[index].ended_us.store(steady_us()); }

  void open() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = ::open(path().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    CHECK(descriptor_ >= 0);
  }

  void write(std::int64_t lines) {
    std::string text;
    for (std::int64_t i = 0; i < lines; ++i) text += fmt::format("{:010}{}\n", next_line_ + i, kPadding);
    CHECK(::write(descriptor_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    written_.push_back({next_line_, next_line_ + lines, steady_us(), contents_.size() - 1});
    next_line_ += lines;
  }

  void rotate() {
    const std::string old = path();
    const std::size_t content = contents_.size() - 1;
    ++rotations_;
    if (scheme_ == "copytruncate") {
      std::error_code ignored;
      fs::copy_file(old, folder_ + "/app.log.copy", fs::copy_options::overwrite_existing, ignored);
      end_content(content);
      begin_content();
      CHECK(::ftruncate(descriptor_, 0) == 0);
      return;
    }
    if (scheme_ == "dated") {
      constexpr int kKept = 3;
      if (rotations_ > kKept) {
        end_content(content - kKept);
        fs::remove(folder_ + fmt::format("/app-{:06}.log", rotations_ - kKept - 1));
      }
      begin_content();
      return open();
    }
    end_content(content);
    if (scheme_ == "rename") {
      fs::rename(old, folder_ + fmt::format("/app.log.{}", rotations_ % 3));
    } else {
      fs::remove(old);
    }
    begin_content();
    open();
  }

  const std::string scheme_;
  const std::string folder_;
  const Arguments arguments_;
  std::mt19937 random_;
  int descriptor_ = -1;
  std::int64_t next_line_ = 0;
  std::atomic<int> rotations_{0};
  std::vector<Written> written_;
  std::deque<Content> contents_;
};

// ---------------------------------------------------------------------------------------------------------- the driver

struct Interval {
  std::int64_t from;
  std::int64_t to;
};

class Agents {
 public:
  Agents(std::string folder, std::string pattern, const Arguments& arguments)
      : folder_(std::move(folder)), pattern_(std::move(pattern)), random_(arguments.seed + 77) {
    void* memory = ::mmap(nullptr, sizeof(AgentLife), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    life_ = static_cast<AgentLife*>(memory);
  }

  // Starts an agent that kills itself at `failpoint` ("" for none).
  void start(const std::string& failpoint) {
    std::memset(static_cast<void*>(life_), 0, sizeof(AgentLife));
    std::ofstream(folder_ + "/stored", std::ios::app) << "run " << ++runs_ << "\n";
    process_ = ::fork();
    CHECK(process_ >= 0);
    if (process_ > 0) return;
    if (!failpoint.empty()) ::setenv("STANDPIPE_FAILPOINTS", failpoint.c_str(), 1);
    run_agent(folder_, pattern_, *life_);
  }

  // True when it ended by itself within the time.
  bool wait_for_end(std::int64_t limit_us, const std::function<bool()>& enough) {
    const std::int64_t deadline = steady_us() + limit_us;
    while (steady_us() < deadline && !enough()) {
      if (::waitpid(process_, nullptr, WNOHANG) == process_) {
        note_life();
        return true;
      }
      ::usleep(1000);
    }
    return false;
  }

  void end(int signal) {
    ::kill(process_, signal);
    CHECK(::waitpid(process_, nullptr, 0) == process_);
    note_life();
  }

  const std::vector<Interval>& ran() const { return ran_; }
  std::size_t starved() const { return starved_; }

 private:
  // The stretches in which the machine let it run.
  void note_life() {
    std::int64_t from = life_->started_us.load();
    if (from == 0) return;
    for (std::size_t i = 0; i < life_->gap_count.load(); ++i, ++starved_) {
      if (life_->gaps[i].from > from) ran_.push_back({from, life_->gaps[i].from});
      from = life_->gaps[i].to;
    }
    ran_.push_back({from, life_->last_us.load()});
  }

  const std::string folder_;
  const std::string pattern_;
  std::mt19937 random_;
  AgentLife* life_;
  pid_t process_ = -1;
  int runs_ = 0;
  std::vector<Interval> ran_;
  std::size_t starved_ = 0;
};

struct Outcome {
  std::int64_t written = 0, readable = 0, lost = 0, stored = 0, duplicates = 0, twice_in_a_run = 0, bad = 0;
  std::int64_t most_duplicates_a_run = 0;
};

// What the channel holds: how often each line, and in which life of the agent.
Outcome judge(const std::string& folder, const Writer& writer, const std::vector<Interval>& ran,
              const Arguments& arguments) {
  Outcome outcome;
  outcome.written = writer.lines();
  std::vector<int> last_run(static_cast<std::size_t>(writer.lines()), 0);
  std::ifstream stored(folder + "/stored");
  std::string text;
  int run = 0;
  std::map<int, std::int64_t> duplicates;
  while (std::getline(stored, text)) {
    if (text.starts_with("run ")) {
      run = std::atoi(text.c_str() + 4);
      continue;
    }
    if (text.size() != 10) {
      ++outcome.bad;
      continue;
    }
    const auto line = static_cast<std::size_t>(std::atoll(text.c_str()));
    CHECK(line < last_run.size());
    ++outcome.stored;
    if (last_run[line] == run) ++outcome.twice_in_a_run;
    if (last_run[line] != 0 && last_run[line] != run) ++duplicates[run];
    last_run[line] = run;
  }
  for (const auto& [number, count] : duplicates) {
    outcome.duplicates += count;
    outcome.most_duplicates_a_run = std::max(outcome.most_duplicates_a_run, count);
  }
  std::map<std::size_t, std::int64_t> lost;
  for (const Written& written : writer.written()) {
    const std::int64_t until = writer.contents()[written.content].ended_us.load();
    bool readable = false;
    for (const Interval& interval : ran) {
      readable |= std::min(until, interval.to) - std::max(written.at_us, interval.from) >= arguments.readable_ms * 1000;
    }
    if (!readable) continue;
    outcome.readable += written.end - written.first;
    for (std::int64_t line = written.first; line < written.end; ++line) {
      if (last_run[static_cast<std::size_t>(line)] != 0) continue;
      ++outcome.lost;
      ++lost[written.content];
    }
  }
  for (const auto& [content, lines] : lost) {
    const Written& first =
        *std::find_if(writer.written().begin(), writer.written().end(),
                      [&, number = content](const Written& written) { return written.content == number; });
    fmt::print("  lost: {} lines of content {}, which stood from {} to {} us\n", lines, content, first.at_us,
               writer.contents()[content].ended_us.load());
  }
  return outcome;
}

std::string failpoint(int kill, std::mt19937& random, std::int64_t span_us) {
  static constexpr std::string_view kRead[] = {"taildir.after_read", "taildir.after_deliver"};
  static constexpr std::string_view kPosition[] = {"taildir.before_position_write", "taildir.after_position_tmp",
                                                   "taildir.after_position_rename"};
  // How often each place is passed in the time that this life may last.
  const int reads = static_cast<int>(std::max<std::int64_t>(span_us / 8'000, 2));
  const int writes = static_cast<int>(std::max<std::int64_t>(span_us / 300'000, 2));
  if (kill % 5 < 2)
    return fmt::format("{}=kill@{}", kRead[kill % 5], 1 + static_cast<int>(random() % static_cast<unsigned>(reads)));
  return fmt::format("{}=kill@{}", kPosition[kill % 5 - 2],
                     1 + static_cast<int>(random() % static_cast<unsigned>(writes)));
}

std::uintmax_t size_of(const std::string& path) {
  std::error_code ignored;
  return fs::file_size(path, ignored);
}

bool torture(const std::string& scheme, const Arguments& arguments) {
  testing::TemporaryDirectory directory;
  fs::create_directories(directory.file("logs"));
  Writer writer(scheme, directory.file("logs"), arguments);
  Agents agents(directory.path(), writer.pattern(), arguments);
  std::mt19937 random(arguments.seed + 5);
  const std::int64_t began = steady_us();

  // The first agent starts before the threads of the driver: fork() and threads don't mix well.
  std::atomic<bool> done{false};
  std::jthread writing;
  int at_failpoint = 0;
  int by_force = 0;
  for (int kill = 0; kill < arguments.kills; ++kill) {
    const int left = arguments.rotations - writer.rotations();
    const std::int64_t span = std::int64_t{165'000} * left / (arguments.kills - kill + 1);
    agents.start(failpoint(kill, random, span));
    if (!writing.joinable()) {
      writing = std::jthread([&] {
        writer.run();
        done = true;
      });
    }
    if (agents.wait_for_end(span * 2, [&] { return done.load(); })) {
      ++at_failpoint;
    } else {
      agents.end(SIGKILL);
      ++by_force;
    }
    ::usleep(static_cast<useconds_t>(random() % 100'000));
  }
  agents.start("");
  if (!writing.joinable()) writing = std::jthread([&] { writer.run(); });
  writing.join();
  // All that is readable is stored when nothing was added for a while.
  std::uintmax_t size = size_of(directory.file("stored"));
  for (int quiet = 0; quiet < 20; ++quiet) {
    ::usleep(50'000);
    if (const std::uintmax_t now = size_of(directory.file("stored")); now != size) quiet = 0, size = now;
  }
  agents.end(SIGTERM);

  const Outcome outcome = judge(directory.path(), writer, agents.ran(), arguments);
  fmt::print(
      "{}: {} rotations, {} kills at failpoints, {} by force, {:.1f} s; lines: {} written, {} readable for {} ms, {} "
      "lost, "
      "{} stored; duplicates: {} after restarts (at most {} after one), {} within a run; {} broken lines; agent "
      "starved {} times\n",
      scheme, writer.rotations(), at_failpoint, by_force, static_cast<double>(steady_us() - began) / 1e6,
      outcome.written, outcome.readable, arguments.readable_ms, outcome.lost, outcome.stored, outcome.duplicates,
      outcome.most_duplicates_a_run, outcome.twice_in_a_run, outcome.bad, agents.starved());
  if (outcome.lost > 0 && !arguments.log.empty()) {
    fs::copy_file(directory.file("agent.log"), arguments.log, fs::copy_options::overwrite_existing);
  }
  // A copy-truncating rotation may cut a read in two; every other scheme must never break a line.
  const bool whole = outcome.bad == 0 || scheme == "copytruncate";
  return outcome.lost == 0 && outcome.twice_in_a_run == 0 && whole && outcome.readable > 0;
}

Arguments parse(int count, char** values) {
  Arguments arguments;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = values[i];
    const int number = std::atoi(values[i + 1]);
    if (name == "--scheme") arguments.scheme = values[i + 1];
    if (name == "--log") arguments.log = values[i + 1];
    if (name == "--rotations") arguments.rotations = number;
    if (name == "--kills") arguments.kills = number;
    if (name == "--rate") arguments.rate = number;
    if (name == "--readable-ms") arguments.readable_ms = number;
    if (name == "--seed") arguments.seed = static_cast<unsigned>(number);
  }
  return arguments;
}

}  // namespace
}  // namespace standpipe::crash

int main(int count, char** values) {
  const auto arguments = standpipe::crash::parse(count, values);
  bool good = true;
  for (const std::string scheme : {"rename", "copytruncate", "dated", "delete"}) {
    if (arguments.scheme == "all" || arguments.scheme == scheme) good &= standpipe::crash::torture(scheme, arguments);
  }
  return good ? 0 : 1;
}
