#include "sources/netcat/netcat_session.h"

#include <cstring>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "codec/utf8.h"

namespace standpipe {

namespace {

constexpr std::size_t kPipeline = 4;           // hand-overs of one connection under way
constexpr std::size_t kMaxUnsent = 64 * 1024;  // answers that a client does not read
constexpr int kReadsPerTurn = 4;               // then other connections have their turn
constexpr std::chrono::milliseconds kMemoryRetry{20};
constexpr std::chrono::milliseconds kRejectedLingers{1000};

void append_oks(std::string& text, std::size_t count) {
  static const std::string many = [] {
    std::string oks;
    for (int i = 0; i < 1024; ++i) oks += "OK\n";
    return oks;
  }();
  text.reserve(count * 3);
  for (; count > 1024; count -= 1024) text += many;
  text.append(many, 0, count * 3);
}

}  // namespace

NetcatShared::NetcatShared(Environment& env, Ingest& target, std::size_t line_limit, bool answer_ok,
                           std::string charset)
    : environment(env),
      ingest(target),
      max_line(line_limit),
      acknowledge(answer_ok),
      encoding(std::move(charset)),
      received(env.counters.counter(counter_names::kEventReceived)),
      accepted(env.counters.counter(counter_names::kEventAccepted)),
      read_failed(env.counters.counter(counter_names::kEventReadFail)) {}

NetcatSession::NetcatSession(NetcatShared& shared, TextDecoder decoder, std::unique_ptr<Connection> connection,
                             Ended ended)
    : shared_(shared),
      decoder_(std::move(decoder)),
      connection_(std::move(connection)),
      ended_(std::move(ended)),
      buffer_(shared.environment.budget) {}

void NetcatSession::start() {
  connection_->attach(*this);
  connection_->resume_reading();
}

void NetcatSession::finish() {
  const auto self = shared_from_this();
  input_ended_ = true;
  update_reading();
}

void NetcatSession::readable() {
  const auto self = shared_from_this();
  if (rejected_) return discard_input();
  for (int turn = 0; turn < kReadsPerTurn && read_once(); ++turn) {
  }
  if (connection_ == nullptr) return;
  buffer_.release_if_empty();
  update_reading();
}

/// Whether there may be more to read at once.
bool NetcatSession::read_once() {
  if (pending_.size() >= kPipeline || connection_->unsent() > kMaxUnsent) return false;
  const std::span<char> room = buffer_.room();
  if (room.empty()) {
    wait_for_memory();
    return false;
  }
  const auto read = connection_->read(room.data(), room.size());
  if (!read.ok()) {
    end();
    return false;
  }
  if (read->end) end_of_input();
  if (read->size == 0) return false;
  const std::size_t scanned = buffer_.unread().size();
  buffer_.filled(read->size);
  take_lines(scanned);
  return !input_ended_ && read->size == room.size();
}

/// Hands over the complete lines; the first `scanned` unread bytes are known to hold no line feed.
void NetcatSession::take_lines(std::size_t scanned) {
  const std::string_view text = buffer_.unread();
  const std::size_t last = text.substr(scanned).rfind('\n');
  if (last == std::string_view::npos) {
    if (too_long(text)) reject_line();
    return;
  }
  const StreamBuffer::Part part = buffer_.take(scanned + last + 1);
  const bool plain = decoder_.is_plain(part.bytes);
  Batch batch;
  batch.pin(part.slab);
  bool fits = true;
  for (std::string_view rest = part.bytes; fits && !rest.empty();) {
    const std::size_t size = rest.find('\n');
    fits = add_line(batch, rest.substr(0, size), plain);
    rest.remove_prefix(size + 1);
  }
  deliver(std::move(batch));
  if (!fits || too_long(buffer_.unread())) reject_line();
}

bool NetcatSession::add_line(Batch& batch, std::string_view line, bool plain) {
  if (too_long(line)) return false;
  if (plain || decoder_.is_plain(line)) {
    batch.add(line);
  } else {
    batch.add_copy(decoder_.decode(line), Batch::kNoHeaders, &shared_.environment.budget);
  }
  return true;
}

/// Whether a line, without its line feed, is beyond the limit, which counts characters as Java does.
bool NetcatSession::too_long(std::string_view text) {
  if (text.size() < shared_.max_line || FAILPOINT("netcat.no_line_limit")) return false;
  if (decoder_.is_plain(text)) return utf8::utf16_units(text) >= shared_.max_line;
  return utf8::utf16_units(decoder_.decode(text)) >= shared_.max_line;
}

void NetcatSession::reject_line() {
  input_ended_ = rejected_ = true;
  shared_.read_failed.add();
  if (shared_.too_long_limiter.pass(shared_.environment.clock.now_ms())) {
    shared_.environment.log.warn(
        fmt::format("{} sent a line longer than max-line-length = {}: it was told so and disconnected; raise "
                    "max-line-length if such lines are meant",
                    connection_->peer(), shared_.max_line));
  }
}

/// What follows the last line feed is no line, as in Flume: whoever was cut off did not finish it, and got no OK.
void NetcatSession::end_of_input() {
  input_ended_ = true;
  const std::size_t rest = buffer_.unread().size();
  if (rest == 0 || !shared_.unfinished_limiter.pass(shared_.environment.clock.now_ms())) return;
  shared_.environment.log.warn(fmt::format(
      "{} ended its connection in the middle of a line: {} bytes without a line feed are discarded, unacknowledged",
      connection_->peer(), rest));
}

void NetcatSession::deliver(Batch batch) {
  if (batch.empty()) return;
  const std::size_t lines = batch.size();
  shared_.received.add(static_cast<std::int64_t>(lines));
  pending_.push_back({lines, std::nullopt});
  const std::size_t number = first_number_ + pending_.size() - 1;
  Receipt receipt = shared_.ingest.deliver(std::move(batch));
  if (FAILPOINT("netcat.ok_before_receipt")) return completed(number, Status());
  if (receipt.ready()) {
    completed(number, receipt.wait());
    return;
  }
  std::move(receipt).then(*shared_.environment.network, [weak = weak_from_this(), number](const Status& status) {
    const auto self = weak.lock();
    if (self == nullptr || self->connection_ == nullptr) return;
    self->completed(number, status);
    self->update_reading();
  });
}

void NetcatSession::completed(std::size_t number, const Status& status) {
  pending_[number - first_number_].result = status;
  while (!pending_.empty() && pending_.front().result) {
    answer(pending_.front().lines, *pending_.front().result);
    pending_.pop_front();
    ++first_number_;
  }
}

void NetcatSession::answer(std::size_t lines, const Status& status) {
  std::string text;
  if (status.ok()) {
    shared_.accepted.add(static_cast<std::int64_t>(lines));
    if (shared_.acknowledge) append_oks(text, lines);
  } else {
    const std::string line = fmt::format("FAILED: {}\n", status.message());
    for (std::size_t i = 0; i < lines; ++i) text += line;
  }
  connection_->write(std::move(text));
}

void NetcatSession::wait_for_memory() {
  connection_->pause_reading();
  timer_ = shared_.environment.network->call_after(kMemoryRetry, [this] {
    const auto self = shared_from_this();
    timer_ = nullptr;
    update_reading();
  });
}

/// Reads on where there is room for what comes of it, and ends the session where nothing more can come.
void NetcatSession::update_reading() {
  if (connection_ == nullptr || timer_ != nullptr) return;
  const bool answered = pending_.empty();
  if (input_ended_ && answered && rejected_) {
    connection_->write(
        fmt::format("FAILED: Event exceeds the maximum length ({} chars, including newline)\n", shared_.max_line));
    // Closing with input unread would make the system throw the answer away: let the client read it and go.
    connection_->finish_writing();
    timer_ = shared_.environment.network->call_after(kRejectedLingers, [this] { end(); });
    connection_->resume_reading();
  } else if (input_ended_ && answered && connection_->unsent() == 0) {
    end();
  } else if (input_ended_ || pending_.size() >= kPipeline || connection_->unsent() > kMaxUnsent) {
    connection_->pause_reading();
  } else {
    connection_->resume_reading();
  }
}

void NetcatSession::discard_input() {
  char unwanted[16 * 1024];
  const auto read = connection_->read(unwanted, sizeof unwanted);
  if (!read.ok() || read->end) end();
}

void NetcatSession::sent() { update_reading(); }

void NetcatSession::failed(const Status&) { end(); }

void NetcatSession::end() {
  if (connection_ == nullptr) return;
  const auto self = shared_from_this();
  timer_ = nullptr;
  connection_ = nullptr;
  ended_(*this);
}

}  // namespace standpipe
