#include "rpc/avro/server_session.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "rpc/avro/message.h"

namespace standpipe::avro {

namespace {

constexpr std::size_t kMaxUnsent = 64 * 1024;  // answers that a client does not read
constexpr int kReadsPerTurn = 4;               // then other connections have their turn
constexpr std::chrono::milliseconds kMemoryRetry{20};
constexpr std::size_t kFirstBytes = 3;

Status no_call() { return {Code::corrupt, "a message that is no Avro request"}; }

}  // namespace

ServerSession::ServerSession(ServerShared& shared, std::unique_ptr<Connection> connection, Ended ended)
    : shared_(shared),
      connection_(std::move(connection)),
      ended_(std::move(ended)),
      buffer_(shared.rules.memory, shared.rules.read_at_once),
      frames_(shared.rules.max_request),
      begun_(shared.environment.clock.steady_now()) {}

void ServerSession::start() {
  connection_->attach(*this);
  connection_->resume_reading();
}

void ServerSession::finish() {
  const auto self = shared_from_this();
  input_ended_ = true;
  waiting_.clear();
  next_waiting_ = 0;
  go_on();
}

void ServerSession::end_if_stalled(Clock::Steady then) {
  // Only a request that the peer has begun and not finished: whoever is silent between requests may be.
  const bool half_way = connection_ != nullptr && !buffer_.unread().empty() && may_read() && timer_ == nullptr;
  if (!half_way || begun_ > then) return;
  refuse({Code::timeout, "it does not finish its request"});
  go_on();
}

void ServerSession::readable() {
  const auto self = shared_from_this();
  for (int turn = 0; turn < kReadsPerTurn && read_once(); ++turn) {
  }
  if (connection_ == nullptr) return;
  buffer_.release_if_empty();
  go_on();
}

bool ServerSession::may_read() const {
  return !input_ended_ && next_waiting_ == waiting_.size() && pending_.size() < shared_.rules.pipeline &&
         connection_->unsent() <= kMaxUnsent;
}

/// Whether there may be more to read at once.
bool ServerSession::read_once() {
  if (!may_read()) return false;
  const std::span<char> room = buffer_.room();
  if (room.empty()) {
    wait_for_memory();
    return false;
  }
  const auto read = connection_->read(room.data(), room.size());
  if (!read.ok()) {
    // A peer that is gone is no news; one whose bytes can't be read is.
    if (read.status().code() == Code::corrupt) refuse(read.status());
    end();
    return false;
  }
  if (read->size > 0) take_in(room, read->size);
  if (read->end) {
    input_ended_ = true;
    if (!shared_.rules.answers_ended) end();
  }
  return !input_ended_ && read->size == room.size();
}

void ServerSession::take_in(std::span<char> room, std::size_t size) {
  if (first_bytes_.size() < kFirstBytes) {
    first_bytes_.append(room.data(), std::min(size, kFirstBytes - first_bytes_.size()));
  }
  const bool begins = buffer_.unread().empty();
  buffer_.filled(size);
  while (take_requests(begins)) {
  }
}

/// Whether there may be more of them.
bool ServerSession::take_requests(bool begins) {
  const Status scanned = frames_.scan(buffer_);
  if (begins || frames_.found()) begun_ = shared_.environment.clock.steady_now();
  if (frames_.found()) {
    const StreamBuffer::Part part = frames_.take(buffer_, shared_.messages);
    for (const Message& message : shared_.messages) waiting_.push_back({part.slab, message});
    serve_waiting();
  }
  if (!scanned.ok()) refuse(scanned);
  return scanned.ok() && frames_.more();
}

void ServerSession::serve_waiting() {
  while (next_waiting_ < waiting_.size() && pending_.size() < shared_.rules.pipeline) {
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
Status ServerSession::serve(const Waiting& request) {
  DatumReader reader(request.message.bytes);
  std::string front;
  bool goes_on = true;
  if (!established_) TRY(handshake(reader, front, goes_on));
  const bool greeted = !front.empty();
  const std::uint64_t number = next_number_;
  if (!goes_on) {
    pending_.push_back({next_number_++, request.message.serial});
    answer(number, std::move(front));
    return {};
  }
  std::string_view method;
  if (!get_call(reader, method)) return no_call();
  pending_.push_back({next_number_++, request.message.serial, false, std::move(front)});
  if (method.empty() && greeted) {  // a ping: the handshake is all
    answer(number, std::string());
    return {};
  }
  const Status status = call({number, request.message.serial, method, reader, request.slab});
  if (!status.ok()) pending_.pop_back();
  return status;
}

/// Makes the handshake's answer, to be put in front of the call's. `goes_on`: there is a call to carry out behind it.
Status ServerSession::handshake(DatumReader& reader, std::string& front, bool& goes_on) {
  HandshakeRequest request;
  if (!get_handshake(reader, request)) return no_call();
  auto response = shared_.clients.greet(request);
  if (!response.ok()) {
    put_handshake(front, HandshakeResponse{});
    put_error(front, response.status().message());
    goes_on = false;
    refuse(response.status());
    next_waiting_ = waiting_.size();
    return {};
  }
  if (request.window > 0) response->window = grant_window(request.window);
  put_handshake(front, *response);
  established_ = response->match != HandshakeResponse::Match::none;
  goes_on = established_;
  return {};
}

void ServerSession::answer(std::uint64_t number, std::string message) {
  Pending& answered = pending(number);
  answered.front += message;
  answered.answered = true;
  send_answers();
}

void ServerSession::answer(std::uint64_t number, EncodedRequest frame) {
  Pending& answered = pending(number);
  answered.frame = std::move(frame);
  answered.answered = true;
  send_answers();
}

ServerSession::Pending& ServerSession::pending(std::uint64_t number) {
  const auto found = std::lower_bound(pending_.begin(), pending_.end(), number,
                                      [](const Pending& pending, std::uint64_t n) { return pending.number < n; });
  CHECK(found != pending_.end() && found->number == number && !found->answered);
  return *found;
}

/// Answers whose turn it is, short ones in one piece.
void ServerSession::send_answers() {
  std::string together;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    Pending& pending = pending_[i];
    if (pending.answered && (kept == 0 || !shared_.rules.in_order)) {
      if (pending.frame.slab == nullptr) {
        together += framed(pending.serial, pending.front);
        continue;
      }
      write(std::exchange(together, {}));
      send(pending);
      continue;
    }
    if (kept != i) pending_[kept] = std::move(pending);
    ++kept;
  }
  pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(kept), pending_.end());
  write(std::move(together));
}

void ServerSession::send(Pending& answered) {
  std::string_view bytes = answered.frame.bytes;
  if (!answered.front.empty()) {
    bytes.remove_prefix(kFrameHead);
    std::string head(kFrameHead, '\0');
    write_frame_head(head.data(), answered.serial, static_cast<std::uint32_t>(answered.front.size() + bytes.size()));
    write(head + answered.front);
  }
  written_ += bytes.size();
  connection_->write(std::move(answered.frame.slab), bytes);
}

void ServerSession::write(std::string bytes) {
  if (bytes.empty()) return;
  written_ += bytes.size();
  connection_->write(std::move(bytes));
}

/// Nothing more is read: what was called is answered, then the connection is closed.
void ServerSession::refuse(const Status& why) {
  input_ended_ = true;
  shared_.refused.add();
  if (!shared_.refusals.pass(shared_.environment.clock.now_ms())) return;
  shared_.environment.log.warn(fmt::format("{} is disconnected: {}{}", connection_->peer(), why.message(), hint()));
}

/// What the peer may have meant instead.
std::string ServerSession::hint() const {
  if (first_bytes_.starts_with("\x16\x03")) return fmt::format("; it speaks TLS{}", shared_.rules.tls_remedy);
  const auto first = first_bytes_.empty() ? 0u : static_cast<unsigned char>(first_bytes_[0]);
  const auto second = first_bytes_.size() < 2 ? 0u : static_cast<unsigned char>(first_bytes_[1]);
  if (first == 0x78 && (first << 8 | second) % 31 == 0) {
    return fmt::format("; it sends deflate{}", shared_.rules.deflate_remedy);
  }
  if (first_bytes_.starts_with("GET") || first_bytes_.starts_with("POS")) return "; it speaks HTTP";
  return {};
}

void ServerSession::wait_for_memory() {
  connection_->pause_reading();
  timer_ = shared_.environment.network->call_after(kMemoryRetry, [this] {
    const auto self = shared_from_this();
    timer_ = nullptr;
    go_on();
  });
}

/// Reads on where there is room for what comes of it, and ends the session where nothing more can come.
void ServerSession::go_on() {
  if (connection_ == nullptr) return;
  serve_waiting();
  if (timer_ != nullptr) return;
  const bool answered = pending_.empty() && next_waiting_ == waiting_.size();
  if (input_ended_ && answered && connection_->unsent() == 0) {
    end();
  } else if (may_read()) {
    connection_->resume_reading();
  } else {
    connection_->pause_reading();
  }
}

void ServerSession::sent() { go_on(); }

void ServerSession::failed(const Status& status) {
  status.ignore();  // a peer that is gone is no news
  end();
}

void ServerSession::end() {
  if (connection_ == nullptr) return;
  const auto self = shared_from_this();
  closing();
  timer_ = nullptr;
  connection_ = nullptr;
  ended_(*this);
}

}  // namespace standpipe::avro
