#include "rpc/session.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/failpoint.h"
#include "rpc/window.h"
#include "standpipe/counters.h"

namespace standpipe::rpc {

namespace {

constexpr std::size_t kMaxUnsent = 64 * 1024;  // answers that a client does not read
constexpr std::size_t kMaxSlab = 1 << 20;
constexpr int kReadsPerTurn = 4;  // then other connections have their turn
constexpr std::chrono::milliseconds kMemoryRetry{20};
constexpr std::size_t kFirstBytes = 16;

}  // namespace

SessionShared::SessionShared(Environment& env, Ingest& target)
    : environment(env),
      ingest(target),
      events_received(env.counters.counter(counter_names::kEventReceived)),
      events_accepted(env.counters.counter(counter_names::kEventAccepted)),
      read_failed(env.counters.counter(counter_names::kEventReadFail)) {}

Session::Session(SessionShared& shared, std::unique_ptr<Connection> connection, Ended ended)
    : shared_(shared),
      connection_(std::move(connection)),
      ended_(std::move(ended)),
      buffer_(shared.environment.budget, kMaxSlab),
      watch_(shared.environment.clock.steady_now()) {}

void Session::start() {
  connection_->attach(*this);
  connection_->resume_reading();
}

void Session::finish() {
  const auto self = shared_from_this();
  no_more_input();
  waiting_.clear();
  next_waiting_ = 0;
  go_on();
}

void Session::end_if_stalled(const StallWatch::Patience& patience) {
  if (connection_ == nullptr) return;
  const StallWatch::View view{.agreed = connection_->agreed(),
                              .half_way = !buffer_.unread().empty() && !more_,
                              .reads = may_read(),
                              .waits_for_memory = waits_for_memory(),
                              .unsent = connection_->unsent()};
  const Status status = watch_.look(view, patience);
  if (status.ok()) return;
  const auto self = shared_from_this();
  refuse(status);
  if (view.unsent > 0) return end();  // it would not read what is still to be answered
  timer_ = nullptr;
  next_waiting_ = waiting_.size();
  go_on();
}

// -- reading ----------------------------------------------------------------------------------------------------------

/// All that can be done now, up to a measure: then other connections have their turn.
void Session::work() {
  const auto self = shared_from_this();
  serve_waiting();
  send_answers();
  for (int turn = 0; turn < kReadsPerTurn && connection_ != nullptr && step(); ++turn) send_answers();
  if (connection_ == nullptr) return;
  send_answers();
  buffer_.release_if_empty();
  go_on();
}

/// Whether there may be more to do at once.
bool Session::step() {
  if (next_waiting_ < waiting_.size() || !may_serve()) return false;
  if (!more_) return !input_ended_ && read_once();
  take();
  return true;
}

bool Session::read_once() {
  const std::span<char> room = buffer_.room();
  if (room.empty()) {
    wait_for_memory();
    return false;
  }
  const auto read = connection_->read(room.data(), room.size());
  if (!read.ok()) {
    // A peer that is gone is no news; one whose bytes can't be read is.
    if (read.status().code() != Code::unavailable) refuse(read.status());
    end();
    return false;
  }
  if (read->end) input_ended_ = true;
  if (read->size == 0) return false;
  if (first_bytes_.size() < kFirstBytes) {
    first_bytes_.append(room.data(), std::min(read->size, kFirstBytes - first_bytes_.size()));
  }
  const bool begins = buffer_.unread().empty();
  buffer_.filled(read->size);
  const bool took = take();
  watch_.received(read->size, begins || took, shared_.environment.clock.steady_now());
  return more_ || read->size == room.size();
}

/// Whether there was a whole request.
bool Session::take() {
  const std::size_t before = buffer_.unread().size();
  const Status status = take_requests(buffer_, waiting_, more_);
  const bool took = buffer_.unread().size() < before;
  serve_waiting();
  if (!status.ok() && connection_ != nullptr) refuse(status);
  return took;
}

void Session::serve_waiting() {
  while (connection_ != nullptr && next_waiting_ < waiting_.size()) {
    if (!may_serve()) send_answers();
    if (!may_serve()) return;
    // Events take more memory than their bytes did: not while there is none.
    if (shared_.environment.budget.used() > shared_.environment.budget.intake_limit()) return wait_for_memory();
    const Request request = std::move(waiting_[next_waiting_++]);
    serving_bytes_ = request.bytes.size();
    const Status status = serve(request);
    if (status.ok()) continue;
    refuse(status);
    next_waiting_ = waiting_.size();
  }
  if (next_waiting_ < waiting_.size()) return;
  waiting_.clear();
  next_waiting_ = 0;
}

void Session::refuse(const Status& why) {
  no_more_input();
  shared_.read_failed.add();
  if (!shared_.bad_peers.pass(shared_.environment.clock.now_ms())) return;
  shared_.environment.log.warn(fmt::format("{} is disconnected: {}{}", peer(), why.message(), hint(first_bytes_)));
}

void Session::no_more_input() {
  input_ended_ = true;
  more_ = false;
}

// -- answers ----------------------------------------------------------------------------------------------------------

void Session::answer(std::string bytes) { pending_.push_back({.answered = true, .answer = std::move(bytes)}); }

void Session::deliver(Batch batch, PutAnswer put_answer) {
  const std::size_t events = batch.size();
  shared_.events_received.add(static_cast<std::int64_t>(events));
  pending_.push_back({.put_answer = std::move(put_answer), .events = events, .bytes = serving_bytes_});
  pending_bytes_ += serving_bytes_;
  const std::uint64_t number = first_number_ + pending_.size() - 1;
  if (refusing_) return completed(number, {Code::unavailable, "an earlier request of this connection failed"});
  Receipt receipt = shared_.ingest.deliver(std::move(batch));
  if (FAILPOINT("rpc.ok_before_receipt")) return completed(number, Status());
  if (receipt.ready()) return completed(number, receipt.wait());
  std::move(receipt).then(*shared_.environment.network, [weak = weak_from_this(), number](const Status& status) {
    const auto self = weak.lock();
    if (self == nullptr || self->connection_ == nullptr) return;
    self->completed(number, status);
    self->work_later();  // many complete together
  });
}

void Session::completed(std::uint64_t number, const Status& status) {
  Pending& pending = pending_[number - first_number_];
  pending.answered = true;
  if (status.ok()) {
    shared_.events_accepted.add(static_cast<std::int64_t>(pending.events));
  } else if (shared_.failures.pass(shared_.environment.clock.now_ms())) {
    shared_.environment.log.error(fmt::format("{} events of {} were not stored, and it was told so: {}", pending.events,
                                              peer(), status.message()));
  }
  pending.put_answer(pending.answer, status);
  refusing_ = refusing_ || (has_window_ && !status.ok());
}

/// Answers whose turn it is, in one piece: work() sends what came of a read before the next one.
void Session::send_answers() {
  std::string out;
  std::size_t count = 0;
  for (; count < pending_.size() && pending_[count].answered; ++count) {
    out += pending_[count].answer;
    pending_bytes_ -= pending_[count].bytes;
  }
  if (count == 0) return;
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
  first_number_ += count;
  if (!out.empty()) connection_->write(std::move(out));
}

// -- what goes on -----------------------------------------------------------------------------------------------------

bool Session::may_serve() const {
  return timer_ == nullptr && window::has_room(pending_.size(), pending_bytes_, window::kWidest) &&
         connection_->unsent() <= kMaxUnsent;
}

bool Session::may_read() const { return !input_ended_ && next_waiting_ == waiting_.size() && may_serve(); }

bool Session::all_answered() const { return pending_.empty() && next_waiting_ == waiting_.size() && !more_; }

void Session::wait_for_memory() {
  connection_->pause_reading();
  timer_ = shared_.environment.network->call_after(kMemoryRetry, [this] {
    const auto self = shared_from_this();
    timer_ = nullptr;
    work();
  });
}

/// Reads on where there is room for what comes of it, and ends the session where nothing more can come.
void Session::go_on() {
  if (connection_ == nullptr || timer_ != nullptr) return;
  if (input_ended_ && all_answered() && connection_->unsent() == 0) return end();
  if (more_ && next_waiting_ == waiting_.size() && may_serve()) work_later();
  if (may_read()) {
    connection_->resume_reading();
  } else {
    connection_->pause_reading();
  }
}

void Session::work_later() {
  if (std::exchange(works_later_, true)) return;
  shared_.environment.network->post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr || self->connection_ == nullptr) return;
    self->works_later_ = false;
    self->work();
  });
}

void Session::failed(const Status&) { end(); }

void Session::end() {
  if (connection_ == nullptr) return;
  const auto self = shared_from_this();
  timer_ = nullptr;
  connection_ = nullptr;
  ended_(*this);
}

void end_stalled(const SessionSet<Session>& sessions, Clock::Steady now, std::chrono::milliseconds limit) {
  bool memory_is_short = false;
  sessions.for_each([&](const Session& each) { memory_is_short = memory_is_short || each.waits_for_memory(); });
  sessions.for_each([&](Session& each) { each.end_if_stalled({now, limit, memory_is_short}); });
}

}  // namespace standpipe::rpc
