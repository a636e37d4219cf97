#include "rpc/session.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "rpc/window.h"

namespace standpipe::rpc {

namespace {

constexpr std::size_t kMaxUnsent = 64 * 1024;  // answers that a client does not read
constexpr int kReadsPerTurn = 4;               // then other connections have their turn
constexpr std::chrono::milliseconds kMemoryRetry{20};
constexpr std::size_t kFirstBytes = 16;

}  // namespace

Session::Session(Server& server, std::unique_ptr<Connection> connection)
    : server_(server),
      connection_(std::move(connection)),
      buffer_(server.rules().memory, server.rules().read_at_once),
      watch_(server.environment().clock.steady_now()) {}

void Session::start() {
  connection_->attach(*this);
  connection_->resume_reading();
}

void Session::finish() {
  const auto self = shared_from_this();
  no_more_input();
  drop_waiting();
  read_on();
}

void Session::end_if_stalled(const StallWatch::Patience& patience) {
  if (ended()) return;
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
  drop_waiting();
  read_on();
}

// -- reading ----------------------------------------------------------------------------------------------------------

/// All that can be done now, up to a measure: then other connections have their turn.
void Session::go_on() {
  const auto self = shared_from_this();
  serve_waiting();
  send_answers();
  for (int turn = 0; turn < kReadsPerTurn && !ended() && step(); ++turn) send_answers();
  send_answers();
  if (ended()) return;
  buffer_.release_if_empty();
  read_on();
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
  if (read->size > 0) take_in({room.data(), read->size});
  if (read->end && !server_.rules().answers_ended) end();
  return !ended() && (more_ || read->size == room.size());
}

void Session::take_in(std::string_view read) {
  if (first_bytes_.size() < kFirstBytes) first_bytes_ += read.substr(0, kFirstBytes - first_bytes_.size());
  const bool begins = buffer_.unread().empty();
  buffer_.filled(read.size());
  const bool took = take();
  watch_.received(read.size(), begins || took, server_.environment().clock.steady_now());
}

/// Whether there was a whole request.
bool Session::take() {
  const std::size_t before = buffer_.unread().size();
  const Status status = take_requests(buffer_, waiting_, more_);
  const bool took = buffer_.unread().size() < before;
  serve_waiting();
  if (!status.ok() && !ended()) refuse(status);
  return took;
}

void Session::serve_waiting() {
  const MemoryBudget& memory = server_.rules().memory;
  while (!ended() && next_waiting_ < waiting_.size()) {
    if (!may_serve()) send_answers();
    if (!may_serve()) return;
    // What comes of a request takes more memory than its bytes did: not while there is none.
    if (memory.used() > memory.intake_limit()) return wait_for_memory();
    const Request request = std::move(waiting_[next_waiting_++]);
    serving_bytes_ = request.bytes.size();
    const Status status = serve(request);
    if (status.ok()) continue;
    refuse(status);
    drop_waiting();
  }
  if (next_waiting_ == waiting_.size()) drop_waiting();
}

void Session::drop_waiting() {
  waiting_.clear();
  next_waiting_ = 0;
}

void Session::refuse(const Status& why) {
  no_more_input();
  server_.refuse(peer(), why.message(), hint(first_bytes_));
}

void Session::no_more_input() {
  input_ended_ = true;
  more_ = false;
}

// -- answers ----------------------------------------------------------------------------------------------------------

std::uint64_t Session::begin_answer() {
  pending_.push_back({.number = next_number_, .request_bytes = serving_bytes_});
  pending_bytes_ += serving_bytes_;
  return next_number_++;
}

void Session::answer(std::uint64_t number, std::string bytes) { pending(number).bytes = std::move(bytes); }

void Session::answer(std::uint64_t number, EncodedRequest frame) {
  pending(number).frame = std::move(frame);
  send_answers();
}

/// The one with that number, which is now answered.
Session::Pending& Session::pending(std::uint64_t number) {
  const auto found = std::lower_bound(pending_.begin(), pending_.end(), number,
                                      [](const Pending& each, std::uint64_t n) { return each.number < n; });
  CHECK(found != pending_.end() && found->number == number && !found->answered);
  found->answered = true;
  return *found;
}

/// Answers whose turn it is, short ones in one piece.
void Session::send_answers() {
  if (ended()) return;
  std::string together;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    Pending& each = pending_[i];
    if (!each.answered || (kept > 0 && server_.rules().in_order)) {
      if (kept != i) pending_[kept] = std::move(each);
      ++kept;
      continue;
    }
    pending_bytes_ -= each.request_bytes;
    if (each.frame.slab == nullptr) {
      together.empty() ? together.swap(each.bytes) : static_cast<void>(together += each.bytes);
    } else {
      write(std::exchange(together, {}));
      written_ += each.frame.bytes.size();
      connection_->write(std::move(each.frame.slab), each.frame.bytes);
    }
  }
  pending_.resize(kept);
  write(std::move(together));
}

void Session::write(std::string bytes) {
  if (bytes.empty()) return;
  written_ += bytes.size();
  connection_->write(std::move(bytes));
}

// -- what goes on -----------------------------------------------------------------------------------------------------

bool Session::may_serve() const {
  return !ended() && timer_ == nullptr && window::has_room(pending_.size(), pending_bytes_, server_.rules().pipeline) &&
         connection_->unsent() <= kMaxUnsent;
}

bool Session::may_read() const { return !input_ended_ && next_waiting_ == waiting_.size() && may_serve(); }

bool Session::all_answered() const { return pending_.empty() && next_waiting_ == waiting_.size() && !more_; }

void Session::wait_for_memory() {
  connection_->pause_reading();
  timer_ = server_.environment().network->call_after(kMemoryRetry, [this] {
    const auto self = shared_from_this();
    timer_ = nullptr;
    go_on();
  });
}

/// Reads on where there is room for what comes of it, and ends the session where nothing more can come.
void Session::read_on() {
  if (ended() || timer_ != nullptr) return;
  if (input_ended_ && all_answered() && connection_->unsent() == 0) return end();
  if (more_ && next_waiting_ == waiting_.size() && may_serve()) go_on_later();
  if (may_read()) {
    connection_->resume_reading();
  } else {
    connection_->pause_reading();
  }
}

void Session::go_on_later() {
  if (std::exchange(works_later_, true)) return;
  server_.environment().network->post([this, weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr || ended()) return;
    works_later_ = false;
    go_on();
  });
}

void Session::failed(const Status&) { end(); }

void Session::end() {
  if (ended()) return;
  const auto self = shared_from_this();
  closing();
  timer_ = nullptr;
  connection_ = nullptr;
  server_.ended(*this);
}

}  // namespace standpipe::rpc
