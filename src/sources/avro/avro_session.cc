#include "sources/avro/avro_session.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/failpoint.h"

namespace standpipe {

namespace {

using avro::HandshakeRequest;
using avro::HandshakeResponse;

constexpr std::size_t kPipeline = 4;  // hand-overs of one connection under way
constexpr unsigned kWidestWindow = 8;
constexpr std::size_t kMaxUnsent = 64 * 1024;  // answers that a client does not read
constexpr std::size_t kMaxSlab = 1 << 20;
constexpr int kReadsPerTurn = 4;  // then other connections have their turn
constexpr std::chrono::milliseconds kMemoryRetry{20};
constexpr std::size_t kFirstBytes = 3;

Status no_call() { return {Code::corrupt, "a message that is no Avro request"}; }

/// What Flume answers with FAILED to append as well; anything else is an error of the call.
bool is_channel_failure(const Status& status) {
  return status.code() != Code::poison && status.code() != Code::invalid && status.code() != Code::corrupt;
}

}  // namespace

AvroShared::AvroShared(Environment& env, Ingest& target, std::size_t largest_request)
    : environment(env),
      ingest(target),
      max_request(largest_request),
      events_received(env.counters.counter(counter_names::kEventReceived)),
      events_accepted(env.counters.counter(counter_names::kEventAccepted)),
      append_received(env.counters.counter(counter_names::kAppendReceived)),
      append_accepted(env.counters.counter(counter_names::kAppendAccepted)),
      batch_received(env.counters.counter(counter_names::kAppendBatchReceived)),
      batch_accepted(env.counters.counter(counter_names::kAppendBatchAccepted)),
      read_failed(env.counters.counter(counter_names::kEventReadFail)) {}

AvroSession::AvroSession(AvroShared& shared, std::unique_ptr<Connection> connection, Ended ended)
    : shared_(shared),
      connection_(std::move(connection)),
      ended_(std::move(ended)),
      buffer_(shared.environment.budget, kMaxSlab),
      frames_(shared.max_request),
      watch_(shared.environment.clock.steady_now()) {}

void AvroSession::start() {
  connection_->attach(*this);
  connection_->resume_reading();
}

void AvroSession::finish() {
  const auto self = shared_from_this();
  input_ended_ = true;
  frames_.stop();
  waiting_.clear();
  next_waiting_ = 0;
  go_on();
}

void AvroSession::end_if_stalled(const StallWatch::Patience& patience) {
  if (connection_ == nullptr) return;
  const StallWatch::View view{.agreed = connection_->agreed(),
                              .half_way = !buffer_.unread().empty(),
                              .reads = may_read() && timer_ == nullptr,
                              .waits_for_memory = timer_ != nullptr,
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

void AvroSession::readable() { work(); }

/// All that can be done now, up to a measure: then other connections have their turn.
void AvroSession::work() {
  const auto self = shared_from_this();
  serve_waiting();
  for (int turn = 0; turn < kReadsPerTurn && connection_ != nullptr && step(); ++turn) {
  }
  if (connection_ == nullptr) return;
  buffer_.release_if_empty();
  go_on();
}

bool AvroSession::may_serve() const {
  return timer_ == nullptr && pending_.size() < kPipeline && connection_->unsent() <= kMaxUnsent;
}

bool AvroSession::may_read() const { return !input_ended_ && next_waiting_ == waiting_.size() && may_serve(); }

/// Whether there may be more to do at once.
bool AvroSession::step() {
  if (next_waiting_ < waiting_.size() || !may_serve()) return false;
  if (!frames_.more()) return !input_ended_ && read_once();
  take_requests();
  return true;
}

bool AvroSession::read_once() {
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
  const bool took = take_requests();
  watch_.received(read->size, begins || took, shared_.environment.clock.steady_now());
  return frames_.more() || read->size == room.size();
}

/// Whether there was a whole one.
bool AvroSession::take_requests() {
  const Status scanned = frames_.scan(buffer_);
  const bool found = frames_.found();
  if (found) {
    const StreamBuffer::Part part = frames_.take(buffer_, shared_.messages);
    for (const avro::Message& message : shared_.messages) waiting_.push_back({part.slab, message});
    serve_waiting();
  }
  if (!scanned.ok()) refuse(scanned);
  return found;
}

void AvroSession::serve_waiting() {
  while (connection_ != nullptr && next_waiting_ < waiting_.size() && may_serve()) {
    // Events take more memory than their bytes did: not while there is none.
    if (shared_.environment.budget.used() > shared_.environment.budget.intake_limit()) return wait_for_memory();
    const Waiting request = std::move(waiting_[next_waiting_++]);
    const Status status = serve(request);
    if (status.ok()) continue;
    refuse(status);
    next_waiting_ = waiting_.size();
  }
  if (next_waiting_ < waiting_.size()) return;
  waiting_.clear();
  next_waiting_ = 0;
}

/// Fails when the bytes are no request: nothing behind them can be trusted.
Status AvroSession::serve(const Waiting& request) {
  avro::DatumReader reader(request.message.bytes);
  Pending pending;
  pending.serial = request.message.serial;
  if (!established_) {
    bool goes_on = true;
    TRY(handshake(reader, pending, goes_on));
    if (!goes_on) {
      answer_at_once(std::move(pending));
      return {};
    }
  }
  return call(reader, request, std::move(pending));
}

/// Puts the handshake's answer in front of the call's. `goes_on`: there is a call to carry out behind it.
Status AvroSession::handshake(avro::DatumReader& reader, Pending& pending, bool& goes_on) {
  HandshakeRequest request;
  if (!avro::get_handshake(reader, request)) return no_call();
  auto response = shared_.clients.greet(request);
  if (!response.ok()) {
    put_handshake(pending.front, HandshakeResponse{});
    avro::put_error(pending.front, response.status().message());
    goes_on = false;
    refuse(response.status());
    return {};
  }
  has_window_ = request.window > 0;
  response->window = std::min(request.window, kWidestWindow);
  put_handshake(pending.front, *response);
  established_ = response->match != HandshakeResponse::Match::none;
  goes_on = established_;
  return {};
}

Status AvroSession::call(avro::DatumReader& reader, const Waiting& request, Pending pending) {
  std::string_view method;
  if (!avro::get_call(reader, method)) return no_call();
  if (method.empty() && !pending.front.empty()) {  // a ping: the handshake is all
    answer_at_once(std::move(pending));
    return {};
  }
  Batch batch;
  batch.pin(request.slab);
  if (method == "append") {
    TRY(shared_.decoder.append(reader, batch));
  } else if (method == "appendBatch") {
    pending.method = Method::append_batch;
    TRY(shared_.decoder.append_batch(reader, batch));
  } else {
    avro::put_error(pending.front, fmt::format("no such method: {}", method.substr(0, 100)));
    answer_at_once(std::move(pending));
    return {};
  }
  deliver(std::move(batch), std::move(pending));
  return {};
}

void AvroSession::deliver(Batch batch, Pending pending) {
  pending.events = batch.size();
  shared_.events_received.add(static_cast<std::int64_t>(batch.size()));
  (pending.method == Method::append ? shared_.append_received : shared_.batch_received).add();
  pending_.push_back(std::move(pending));
  const std::size_t number = first_number_ + pending_.size() - 1;
  if (refusing_) {
    return completed(number, {Code::unavailable, "an earlier request of this connection failed"});
  }
  Receipt receipt = shared_.ingest.deliver(std::move(batch));
  if (FAILPOINT("avro.ok_before_receipt")) return completed(number, Status());
  if (receipt.ready()) return completed(number, receipt.wait());
  std::move(receipt).then(*shared_.environment.network, [weak = weak_from_this(), number](const Status& status) {
    const auto self = weak.lock();
    if (self == nullptr || self->connection_ == nullptr) return;
    self->completed(number, status);
    self->work();
  });
}

void AvroSession::answer_at_once(Pending pending) {
  pending.answer = true;
  pending_.push_back(std::move(pending));
  send_answers();
}

void AvroSession::completed(std::size_t number, const Status& status) {
  Pending& pending = pending_[number - first_number_];
  pending.answer = false;
  pending.result = status;
  refusing_ = refusing_ || (has_window_ && !status.ok());
  send_answers();
}

/// Answers whose turn it is, in one piece.
void AvroSession::send_answers() {
  std::string out;
  std::size_t count = 0;
  while (count < pending_.size() && pending_[count].answer) append_answer(out, pending_[count++]);
  if (count == 0) return;
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
  first_number_ += count;
  connection_->write(std::move(out));
}

void AvroSession::append_answer(std::string& out, Pending& pending) {
  std::string& message = pending.front;
  if (!*pending.answer) {
    if (pending.result.ok()) {
      shared_.events_accepted.add(static_cast<std::int64_t>(pending.events));
      (pending.method == Method::append ? shared_.append_accepted : shared_.batch_accepted).add();
      avro::put_answer(message, avro::RpcStatus::ok);
    } else {
      put_failure(message, pending);
    }
  }
  out += avro::framed(pending.serial, message);
}

void AvroSession::put_failure(std::string& out, const Pending& pending) {
  if (shared_.failure_limiter.pass(shared_.environment.clock.now_ms())) {
    shared_.environment.log.error(fmt::format("{} events of {} were not stored, and it was told so: {}", pending.events,
                                              connection_->peer(), pending.result.to_string()));
  }
  if (pending.method == Method::append_batch || is_channel_failure(pending.result)) {
    avro::put_answer(out, avro::RpcStatus::failed);
  } else {
    avro::put_error(out, pending.result.message());
  }
}

/// Nothing more is read: what was handed over is answered, then the connection is closed.
void AvroSession::refuse(const Status& why) {
  input_ended_ = true;
  frames_.stop();
  shared_.read_failed.add();
  if (!shared_.bad_peer_limiter.pass(shared_.environment.clock.now_ms())) return;
  shared_.environment.log.warn(fmt::format("{} is disconnected: {}{}", connection_->peer(), why.message(), hint()));
}

/// What the peer may have meant instead.
std::string AvroSession::hint() const {
  if (first_bytes_.starts_with("\x16\x03")) return "; it speaks TLS: set ssl on both sides, or on neither";
  const auto first = first_bytes_.empty() ? 0u : static_cast<unsigned char>(first_bytes_[0]);
  const auto second = first_bytes_.size() < 2 ? 0u : static_cast<unsigned char>(first_bytes_[1]);
  if (first == 0x78 && (first << 8 | second) % 31 == 0) {
    return "; it sends deflate: set compression-type = deflate on both sides, or on neither";
  }
  if (first_bytes_.starts_with("GET") || first_bytes_.starts_with("POS")) return "; it speaks HTTP";
  return {};
}

void AvroSession::wait_for_memory() {
  connection_->pause_reading();
  timer_ = shared_.environment.network->call_after(kMemoryRetry, [this] {
    const auto self = shared_from_this();
    timer_ = nullptr;
    work();
  });
}

bool AvroSession::answered() const { return pending_.empty() && next_waiting_ == waiting_.size() && !frames_.more(); }

/// Reads on where there is room for what comes of it, and ends the session where nothing more can come.
void AvroSession::go_on() {
  if (connection_ == nullptr || timer_ != nullptr) return;
  if (input_ended_ && answered() && connection_->unsent() == 0) return end();
  if (frames_.more() && next_waiting_ == waiting_.size() && may_serve()) work_later();
  if (may_read()) {
    connection_->resume_reading();
  } else {
    connection_->pause_reading();
  }
}

void AvroSession::work_later() {
  if (std::exchange(works_later_, true)) return;
  shared_.environment.network->post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr || self->connection_ == nullptr) return;
    self->works_later_ = false;
    self->work();
  });
}

void AvroSession::sent() { work(); }

void AvroSession::failed(const Status&) { end(); }

void AvroSession::end() {
  if (connection_ == nullptr) return;
  const auto self = shared_from_this();
  timer_ = nullptr;
  connection_ = nullptr;
  ended_(*this);
}

}  // namespace standpipe
