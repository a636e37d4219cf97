#include "sources/exec/exec_pump.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/clock.h"

namespace standpipe {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kGatherBytes = 1 << 20;  // read ahead of a hand-over that waits
constexpr std::size_t kMaxLine = 16 << 20;
constexpr std::size_t kMaxErrorLine = 8 * 1024;
constexpr milliseconds kStopGrace{2'000};   // for a command to end
constexpr milliseconds kReceiptGrace{500};  // for what it printed to be stored, then
constexpr milliseconds kFirstRetry{100};
constexpr milliseconds kLastRetry{5'000};
constexpr milliseconds kMemoryRetry{20};
constexpr milliseconds kEndTick{50};  // where the system can't tell of the child's end

std::size_t max_line(const MemoryBudget& budget) {
  // Being gathered, a line may need room for two copies of itself, and is not alone.
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(budget.intake_limit() / 8, 1024, kMaxLine));
}

bool may_pass_later(Code code) { return code != Code::poison && code != Code::invalid && code != Code::corrupt; }

}  // namespace

Wake::Wake() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { CHECK(descriptor_ >= 0); }

Wake::~Wake() { ::close(descriptor_); }

void Wake::call() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(descriptor_, &one, sizeof one);  // full: it is readable anyway
}

void Wake::clear() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t size = ::read(descriptor_, &count, sizeof count);
}

struct ExecPump::Arrival {
  ~Arrival() {
    if (answer.has_value()) answer->ignore();  // came after the pump had stopped
  }
  Wake wake;
  std::mutex mutex;
  std::optional<Status> answer;
};

ExecPump::ExecPump(const ExecSettings& settings, Environment& environment, Ingest& ingest, ChildProcess child,
                   TextDecoder decoder)
    : settings_(settings),
      environment_(environment),
      ingest_(ingest),
      child_(std::move(child)),
      lines_(environment.budget, std::move(decoder), max_line(environment.budget)),
      arrival_(std::make_shared<Arrival>()),
      last_flush_(steady_clock::now()),
      received_(environment.counters.counter(counter_names::kEventReceived)),
      accepted_(environment.counters.counter(counter_names::kEventAccepted)) {}

ExecPump::~ExecPump() = default;

int ExecPump::run(std::stop_token stop) {
  const std::stop_callback wake_up(stop, [arrival = arrival_] { arrival->wake.call(); });
  while (!finished()) {
    const Ready ready = wait_for_something();
    if (stop.stop_requested() && !give_up_at_) begin_stop();
    if (give_up_at_ && steady_clock::now() >= *give_up_at_) {
      give_up("the time to stop is over");
      break;
    }
    take_answer();
    if (ready.output) read_output();
    if (ready.errors) read_errors();
    deliver_what_is_due();
  }
  if (give_up_at_) child_.signal(SIGKILL);
  read_last_errors();
  return child_.reap();
}

bool ExecPump::finished() const {
  return !output_open_ && gathering_.empty() && under_way_.empty() && child_.has_ended();
}

void ExecPump::begin_stop() {
  give_up_at_ = steady_clock::now() + kStopGrace;
  if (!output_open_) output_ended();
  child_.signal(SIGTERM);
}

void ExecPump::output_ended() {
  output_open_ = false;
  if (give_up_at_) give_up_at_ = std::min(*give_up_at_, steady_clock::now() + kReceiptGrace);
}

bool ExecPump::wants_output() const { return output_open_ && gathering_.body_bytes() < kGatherBytes; }

ExecPump::Ready ExecPump::wait_for_something() {
  std::array<pollfd, 4> waits{};
  waits[0] = {arrival_->wake.descriptor(), POLLIN, 0};
  waits[1] = {wants_output() && !no_memory_ ? child_.output() : -1, POLLIN, 0};
  waits[2] = {errors_open_ ? child_.errors() : -1, POLLIN, 0};
  waits[3] = {output_open_ || child_.has_ended() ? -1 : child_.end_descriptor(), POLLIN, 0};
  ::poll(waits.data(), waits.size(), wait_ms());
  const bool memory_awaited = std::exchange(no_memory_, false);
  if (waits[0].revents != 0) arrival_->wake.clear();
  return {waits[1].revents != 0 || (memory_awaited && wants_output()), waits[2].revents != 0};
}

/// Until the next thing that happens by time alone; -1: nothing does.
int ExecPump::wait_ms() const {
  if (finished()) return 0;  // the child ended since run() looked, and nothing else would wake us
  std::optional<Time> next = give_up_at_;
  const auto at_latest = [&next](Time time) { next = next ? std::min(*next, time) : time; };
  const Time now = steady_clock::now();
  if (retry_at_) at_latest(*retry_at_);
  if (!gathering_.empty() && under_way_.empty()) at_latest(last_flush_ + settings_.batch_timeout);
  if (no_memory_) at_latest(now + kMemoryRetry);
  if (!output_open_ && child_.end_descriptor() < 0) at_latest(now + kEndTick);
  if (!next) return -1;
  const auto left = std::chrono::ceil<milliseconds>(*next - now).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

void ExecPump::read_output() {
  const std::span<char> room = lines_.room();
  if (room.empty()) {
    no_memory_ = true;
    return;
  }
  const ssize_t size = ::read(child_.output(), room.data(), room.size());
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
    lines_.filled(0);
    return;
  }
  if (size <= 0) output_ended();
  lines_.filled(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  const std::size_t before = gathering_.size();
  if (!lines_.take_into(gathering_, !output_open_)) {
    environment_.log.warn(fmt::format("command [{}] printed a line of more than {} bytes: it was cut into events",
                                      settings_.command, max_line(environment_.budget)));
  }
  received_.add(static_cast<std::int64_t>(gathering_.size() - before));
}

/// Whether there may be more at once.
bool ExecPump::read_errors() {
  char chunk[4096];
  const ssize_t size = ::read(child_.errors(), chunk, sizeof chunk);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  errors_open_ = size > 0;
  if (settings_.log_errors && errors_open_) {
    error_text_.append(chunk, static_cast<std::size_t>(size));
    log_error_lines();
  }
  return errors_open_;
}

void ExecPump::read_last_errors() {
  // Bounded: a grandchild may hold the pipe and go on writing.
  for (int turn = 0; turn < 256 && errors_open_ && read_errors(); ++turn) {
  }
  if (error_text_.empty()) return;
  error_text_.push_back('\n');
  log_error_lines();
}

void ExecPump::log_error_lines() {
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = std::min(error_text_.find('\n', begin), begin + kMaxErrorLine);
    if (end >= error_text_.size()) break;
    environment_.log.info(
        fmt::format("StderrLogger[{}] = '{}'", ++error_lines_, error_text_.substr(begin, end - begin)));
    begin = error_text_[end] == '\n' ? end + 1 : end;
  }
  error_text_.erase(0, begin);
}

void ExecPump::deliver_what_is_due() {
  if (retry_at_ && steady_clock::now() >= *retry_at_) {
    retry_at_.reset();
    return deliver();
  }
  if (!under_way_.empty() || !due()) return;
  under_way_.push_back(std::exchange(gathering_, Batch()));
  deliver();
}

bool ExecPump::due() const {
  if (gathering_.empty()) return false;
  return gathering_.size() >= settings_.batch_size || !output_open_ || give_up_at_ ||
         steady_clock::now() >= last_flush_ + settings_.batch_timeout;
}

void ExecPump::deliver() {
  last_flush_ = steady_clock::now();
  Receipt receipt = ingest_.deliver(under_way_.front().share());
  if (receipt.ready()) return answered(receipt.wait());
  std::move(receipt).then_inline([arrival = arrival_](const Status& status) {
    std::lock_guard lock(arrival->mutex);
    arrival->answer = status;
    arrival->wake.call();
  });
}

void ExecPump::take_answer() {
  std::optional<Status> answer;
  {
    std::lock_guard lock(arrival_->mutex);
    answer.swap(arrival_->answer);
  }
  if (answer) answered(*answer);
}

void ExecPump::answered(const Status& status) {
  if (status.ok()) {
    accepted_.add(static_cast<std::int64_t>(under_way_.front().size()));
    retry_pause_ = {};
    return next();
  }
  if (status.code() == Code::stopped) return give_up(status.message());
  if (may_pass_later(status.code())) return try_again_later(status);
  if (under_way_.front().size() > 1) return deliver_one_by_one();
  environment_.log.error(
      fmt::format("an event of command [{}] can never be stored and is lost: {}", settings_.command, status.message()));
  next();
}

void ExecPump::next() {
  under_way_.pop_front();
  if (!under_way_.empty()) retry_at_ = steady_clock::now();
}

/// Some event can never be stored; the others can.
void ExecPump::deliver_one_by_one() {
  const Batch all = std::move(under_way_.front());
  under_way_.pop_front();
  for (std::size_t i = all.size(); i-- > 0;) under_way_.push_front(all.subset({i}));
  retry_at_ = steady_clock::now();
}

void ExecPump::try_again_later(const Status& status) {
  if (retry_pause_ == milliseconds(0)) {
    environment_.log.warn(
        fmt::format("command [{}] waits until its output can be stored: {}", settings_.command, status.message()));
  }
  retry_pause_ = std::clamp(retry_pause_ * 2, kFirstRetry, kLastRetry);
  retry_at_ = steady_clock::now() + retry_pause_;
}

/// The agent stops: what the command printed and no channel took goes with the command.
void ExecPump::give_up(const std::string& why) {
  std::size_t events = gathering_.size();
  for (const Batch& batch : under_way_) events += batch.size();
  if (events > 0) {
    environment_.log.warn(
        fmt::format("{} events of command [{}] were read and are not stored: {}", events, settings_.command, why));
  }
  gathering_ = Batch();
  under_way_.clear();
  retry_at_.reset();
  output_open_ = false;
  if (!give_up_at_) begin_stop();
}

}  // namespace standpipe
