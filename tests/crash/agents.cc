#include "crash/agents.h"

#include <filesystem>
#include <future>
#include <mutex>
#include <utility>

#include <fmt/format.h>

namespace standpipe::crash {

namespace {

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

// What the machine withholds from a thread of this process (proc(5)).
class MachineWatch {
 public:
  explicit MachineWatch(pid_t thread) : folder_(fmt::format("/proc/self/task/{}/", thread)) {}

  bool waits_for_a_disk() const {
    std::ifstream stat(folder_ + "stat");
    std::string text;
    std::getline(stat, text);
    const std::size_t name_end = text.rfind(')');
    return name_end != std::string::npos && text.substr(name_end + 1, 2) == " D";
  }

  // How long it has been ready to run and was not let, since the last call. The kernel tells of it once it runs.
  std::int64_t held_up_us() {
    std::ifstream schedstat(folder_ + "schedstat");
    std::int64_t ran_ns = 0;
    std::int64_t waited_ns = 0;
    schedstat >> ran_ns >> waited_ns;
    return (waited_ns - std::exchange(waited_ns_, waited_ns)) / 1000;
  }

 private:
  const std::string folder_;
  std::int64_t waited_ns_ = 0;
};

}  // namespace

Agents::Agents(std::string folder, Subject subject) : folder_(std::move(folder)), subject_(std::move(subject)) {
  void* memory = ::mmap(nullptr, sizeof(AgentLife), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(memory != MAP_FAILED);
  life_ = static_cast<AgentLife*>(memory);
}

void leave_thread_sanitizer_out() {
#if defined(__SANITIZE_THREAD__)
  fmt::print("skipped: forks while threads run, and ThreadSanitizer starts no threads in such a child\n");
  std::exit(77);
#endif
}

void Agents::cut_torn_line() const {
  std::ifstream stored(stored_path(), std::ios::ate | std::ios::binary);
  if (!stored) return;  // nothing ran yet
  auto end = static_cast<std::int64_t>(stored.tellg());
  for (; end > 0; --end) {
    stored.seekg(end - 1);
    if (stored.get() == '\n') break;
  }
  std::filesystem::resize_file(stored_path(), static_cast<std::uintmax_t>(end));
}

void Agents::start(const std::string& failpoint, int pass) {
  cut_torn_line();
  std::memset(static_cast<void*>(life_), 0, sizeof(AgentLife));
  std::ofstream(stored_path(), std::ios::app) << "run " << ++runs_ << "\n";
  failpoint_ = failpoint;
  std::string armed = failpoint.empty() ? "" : fmt::format("{}=kill@{}", failpoint, pass);
  if (!subject_.sabotage.empty()) armed += fmt::format(",{}=sabotage", subject_.sabotage);
  process_ = ::fork();
  CHECK(process_ >= 0);
  if (process_ > 0) return;
  // What the writer holds open would keep its inodes from being used again.
  ::close_range(3, ~0U, 0);
  ::setenv("STANDPIPE_FAILPOINTS", armed.c_str(), 1);
  // What a killed one leaves goes with the folder.
  ::setenv("TMPDIR", folder_.c_str(), 1);
  live();
}

// Until it is killed or told to end by SIGTERM.
void Agents::live() {
  sigset_t terminate;
  sigemptyset(&terminate);
  sigaddset(&terminate, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &terminate, nullptr);
  {
    testing::TestEnvironment test("r1");
    AppendingLog log(folder_ + "/agent.log");
    Environment environment{"a1",    "r1",        folder_,      log, test.system_clock, real_file_system(),
                            nullptr, test.budget, test.counters};
    auto out = real_file_system().open(stored_path(), FileSystem::Mode::append);
    CHECK(out.ok());
    DurableFileIngest ingest(std::move(*out), subject_.channel);
    auto settings = Settings::parse(*subject_.source.info, subject_.settings);
    CHECK(settings.ok());
    auto source = subject_.source.create(*settings, environment);
    CHECK(source.ok());
    CHECK((*source)->start(ingest).ok());
    life_->started_us.store(steady_us());
    std::promise<pid_t> source_thread;
    std::jthread runner([&](std::stop_token stop) {
      source_thread.set_value(::gettid());
      CHECK((*source)->run(stop).ok());
    });
    std::jthread heart(
        [&, thread = source_thread.get_future().get()](std::stop_token stop) { beat(ingest, thread, stop); });
    int signal = 0;
    sigwait(&terminate, &signal);
    runner.request_stop();
    runner.join();
    (*source)->stop();
  }
  ::_exit(0);
}

// A disk that keeps the channel waiting so long holds the agent up, too: it may stop reading then.
void Agents::beat(const DurableFileIngest& channel, pid_t source_thread, const std::stop_token& stop) {
  constexpr std::int64_t kPatienceUs = 2'000'000;
  MachineWatch machine(source_thread);
  for (; !stop.stop_requested(); ::usleep(1000)) {
    const std::int64_t now = steady_us();
    life_->held_up(now - machine.held_up_us(), now);
    const std::int64_t since = channel.waiting_since_us();
    const bool waits_for_channel = since != 0 && now - since >= kPatienceUs;
    if (!waits_for_channel && !machine.waits_for_a_disk()) life_->beat();
  }
}

bool Agents::wait_for_end(std::int64_t limit_us, const std::function<bool()>& enough) {
  const std::int64_t deadline = steady_us() + limit_us;
  while (steady_us() < deadline && !enough()) {
    if (::waitpid(process_, nullptr, WNOHANG) == process_) {
      ++kills_[failpoint_];
      note_life();
      return true;
    }
    ::usleep(1000);
  }
  return false;
}

void Agents::end(int signal) {
  ::kill(process_, signal);
  CHECK(::waitpid(process_, nullptr, 0) == process_);
  if (signal == SIGKILL) ++kills_["by force"];
  note_life();
}

void Agents::wait_for_silence() const {
  std::uintmax_t size = 0;
  for (int quiet = 0; quiet < 20; ++quiet) {
    ::usleep(50'000);
    const std::uintmax_t now = std::filesystem::file_size(stored_path());
    if (now == size) continue;
    size = now;
    quiet = 0;
  }
}

void Agents::note_life() {
  std::int64_t from = life_->started_us.load();
  if (from == 0) return;
  for (std::size_t i = 0; i < life_->gap_count.load(); ++i, ++starved_) {
    if (life_->gaps[i].from > from) ran_.push_back({from, life_->gaps[i].from});
    from = life_->gaps[i].to;
  }
  ran_.push_back({from, life_->last_us.load()});
}

}  // namespace standpipe::crash
