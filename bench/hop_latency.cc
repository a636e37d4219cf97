/// How long events take through two agents at half of what these can carry:
///   hop_latency BATCH WARM_SECONDS SECONDS
/// Listens for the second agent's avro sink and prints the port; reads the port of the first agent's avro source from
/// its standard input. Then it sends requests of BATCH events of 500 bytes as fast as they are answered, for
/// WARM_SECONDS, and takes the rate at which they come out again over the second half of that time; when all have come
/// out it sends at half of that rate for SECONDS. Each event carries the moment at which it was due, whether or not the
/// sender got to it in time; the age of what comes out is the latency. Prints one JSON object.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "codec/avro/datum.h"
#include "net/stream_buffer.h"
#include "rpc/avro/frame_reader.h"
#include "rpc/avro/message.h"

namespace {

using namespace standpipe;
using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::string_view kMark = "due at: ";
constexpr std::size_t kDigits = 20;
constexpr char kWarm = 'w';  // behind the digits: what the event is for
constexpr char kTimed = 't';
constexpr std::size_t kBody = 500;
constexpr std::uint64_t kOpen = 8;  // requests that wait for an answer
constexpr seconds kPatience{60};
constexpr std::size_t kMemory = 256 << 20;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "hop_latency: %s\n", what.c_str());
  std::exit(1);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int stream_socket() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) fail("no socket");
  return descriptor;
}

void send_now(int descriptor, std::string_view bytes) {
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  while (!bytes.empty()) {
    const ssize_t size = ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) fail("an agent does not take what is sent to it");
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

/// Frames from a socket, one after the other.
class Frames {
 public:
  explicit Frames(int descriptor) : descriptor_(descriptor) {}

  /// Hands what is there to `take`; false at the end.
  template <typename Take>
  bool next(Take&& take) {
    const std::span<char> room = buffer_.room();
    if (room.empty()) fail("no memory");
    const ssize_t size = ::read(descriptor_, room.data(), room.size());
    if (size <= 0) return false;
    buffer_.filled(static_cast<std::size_t>(size));
    do {
      if (!frames_.scan(buffer_).ok()) fail("an agent sends no frames of Avro");
      if (!frames_.found()) break;
      const StreamBuffer::Part part = frames_.take(buffer_, messages_);
      for (const avro::Message& message : messages_) take(message);
    } while (frames_.more());
    return true;
  }

 private:
  const int descriptor_;
  MemoryBudget budget_{kMemory};
  StreamBuffer buffer_{budget_, 1 << 20};
  avro::FrameReader frames_{64 << 20};
  std::vector<avro::Message> messages_;
};

// -- where they come out ----------------------------------------------------------------------------------------------

/// What has come out, for both phases.
class Tally {
 public:
  void add(std::string_view message) {
    const auto now = Clock::now().time_since_epoch();
    std::lock_guard lock(mutex_);
    for (std::size_t at = message.find(kMark); at != message.npos; at = message.find(kMark, at + kBody)) {
      const char* digits = message.data() + at + kMark.size();
      if (digits[kDigits] == kWarm) {
        ++warm_;
        continue;
      }
      std::int64_t due = 0;
      std::from_chars(digits, digits + kDigits, due);
      ages_.push_back(now.count() - due);
    }
  }
  std::uint64_t warm() const {
    std::lock_guard lock(mutex_);
    return warm_;
  }
  std::uint64_t timed() const {
    std::lock_guard lock(mutex_);
    return ages_.size();
  }
  std::vector<std::int64_t> sorted_ages() {
    std::lock_guard lock(mutex_);
    std::sort(ages_.begin(), ages_.end());
    return ages_;
  }

 private:
  mutable std::mutex mutex_;
  std::uint64_t warm_ = 0;
  std::vector<std::int64_t> ages_;  // nanoseconds
};

/// The far end's source: takes everything and says OK.
void serve(int descriptor, Tally& tally) {
  Frames frames(descriptor);
  bool greeted = false;
  const auto take = [&](const avro::Message& message) {
    std::string answer;
    if (!std::exchange(greeted, true)) {
      avro::DatumReader reader(message.bytes);
      avro::HandshakeRequest request;
      if (!avro::get_handshake(reader, request)) fail("the second agent does not greet");
      avro::HandshakeResponse response;
      response.window = request.window;
      put_handshake(answer, response);
    }
    tally.add(message.bytes);
    avro::put_answer(answer, avro::RpcStatus::ok);
    send_now(descriptor, avro::framed(message.serial, answer));
  };
  while (frames.next(take)) {
  }
  ::close(descriptor);
}

void accept_all(int listener, Tally& tally) {
  for (int descriptor = 0; (descriptor = ::accept(listener, nullptr, nullptr)) >= 0;) {
    std::thread([descriptor, &tally] { serve(descriptor, tally); }).detach();
  }
}

// -- where they go in -------------------------------------------------------------------------------------------------

/// Requests of equal size, of which only the moments change.
class Sender {
 public:
  Sender(std::uint16_t port, std::size_t batch) : batch_(batch), descriptor_(stream_socket()) {
    const sockaddr_in address = loopback(port);
    if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      fail("the first agent does not listen");
    }
    avro::put_call(call_, "appendBatch");
    avro::put_long(call_, static_cast<std::int64_t>(batch));
    const std::string body = std::string(kMark) + std::string(kBody - kMark.size(), '-');
    for (std::size_t i = 0; i < batch; ++i) avro::put_event(call_, {}, body);
    avro::put_long(call_, 0);
    answers_ = std::thread([this] { read_answers(); });
  }

  std::uint64_t sent() const { return sent_; }

  void send(Clock::time_point due, char phase) {
    write_due(due, phase);
    std::string front;
    constexpr unsigned kNoWindow = 0;  // Flume knows none
    if (serial_ == 1) {
      avro::put_handshake(front,
                          avro::HandshakeRequest{avro::kSourceProtocolHash, {}, avro::kSourceProtocolHash, kNoWindow});
    }
    send_now(descriptor_, avro::framed(serial_++, front.empty() ? call_ : front + call_));
    sent_ += batch_;
    // Flume answers out of order what stands behind a handshake.
    if (!front.empty()) answered_.wait(0);
  }

  /// Until fewer than kOpen are unanswered.
  void wait_for_room() {
    std::uint64_t seen = answered_.load();
    while (static_cast<std::uint64_t>(serial_ - 1) - seen >= kOpen) {
      answered_.wait(seen);
      seen = answered_.load();
    }
  }

 private:
  void write_due(Clock::time_point due, char phase) {
    char digits[kDigits + 1];
    auto rest = static_cast<std::uint64_t>(due.time_since_epoch().count());
    for (std::size_t i = kDigits; i > 0; rest /= 10) digits[--i] = static_cast<char>('0' + rest % 10);
    digits[kDigits] = phase;
    for (std::size_t at = call_.find(kMark); at != call_.npos; at = call_.find(kMark, at + kBody)) {
      std::copy_n(digits, sizeof digits, call_.begin() + static_cast<std::ptrdiff_t>(at + kMark.size()));
    }
  }

  void read_answers() {
    Frames frames(descriptor_);
    bool greeted = false;
    const auto take = [&](const avro::Message& message) {
      avro::DatumReader reader(message.bytes);
      avro::HandshakeResponse response;
      if (!std::exchange(greeted, true) && !avro::get_handshake(reader, response)) fail("no answer to the handshake");
      const Status status = avro::get_answer(reader);
      if (!status.ok()) fail("the first agent " + status.message());
      answered_.fetch_add(1);
      answered_.notify_one();
    };
    while (frames.next(take)) {
    }
    fail("the first agent has closed the connection");
  }

  const std::size_t batch_;
  const int descriptor_;
  std::string call_;
  std::int32_t serial_ = 1;
  std::uint64_t sent_ = 0;
  std::atomic<std::uint64_t> answered_ = 0;
  std::thread answers_;
};

template <typename Condition>
void wait_until(Condition&& holds, const char* what) {
  const auto deadline = Clock::now() + kPatience;
  while (!holds()) {
    if (Clock::now() > deadline) fail(what);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

/// Events a second that come out when as many go in as can.
double full_rate(Sender& sender, const Tally& tally, seconds duration) {
  const auto began = Clock::now();
  Clock::time_point middle;
  std::uint64_t by_middle = 0;
  while (Clock::now() < began + duration) {
    if (by_middle == 0 && Clock::now() >= began + duration / 2) {
      middle = Clock::now();
      by_middle = std::max<std::uint64_t>(1, tally.warm());
    }
    sender.wait_for_room();
    sender.send(Clock::now(), kWarm);
  }
  const double rate =
      static_cast<double>(tally.warm() - by_middle) / std::chrono::duration<double>(Clock::now() - middle).count();
  wait_until([&] { return tally.warm() >= sender.sent(); }, "not all events have come out");
  return rate;
}

void send_at(Sender& sender, double rate, std::size_t batch, seconds duration) {
  const nanoseconds step(static_cast<std::int64_t>(static_cast<double>(batch) / rate * 1e9));
  const auto end = Clock::now() + duration;
  for (auto due = Clock::now(); due < end; due += step) {
    std::this_thread::sleep_until(due);
    sender.send(due, kTimed);
  }
}

std::uint16_t listen_somewhere(int listener) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener, plain, size) != 0 || ::listen(listener, 16) != 0 || ::getsockname(listener, plain, &size) != 0) {
    fail("can't listen");
  }
  return ntohs(address.sin_port);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) fail("usage: hop_latency BATCH WARM_SECONDS SECONDS");
  const std::size_t batch = std::stoul(argv[1]);
  Tally tally;
  const int listener = stream_socket();
  std::printf("%u\n", listen_somewhere(listener));
  std::fflush(stdout);
  std::thread(accept_all, listener, std::ref(tally)).detach();
  unsigned entry = 0;
  if (std::scanf("%u", &entry) != 1) fail("no port to send to");

  Sender sender(static_cast<std::uint16_t>(entry), batch);
  const double full = full_rate(sender, tally, seconds(std::stol(argv[2])));
  const std::uint64_t before = sender.sent();
  send_at(sender, full / 2, batch, seconds(std::stol(argv[3])));
  const std::uint64_t timed = sender.sent() - before;
  wait_until([&] { return tally.timed() >= timed; }, "not all events have come out");
  const std::vector<std::int64_t> ages = tally.sorted_ages();
  const auto at = [&](double share) {
    return static_cast<double>(ages[static_cast<std::size_t>(share * static_cast<double>(ages.size() - 1))]) / 1e6;
  };
  std::printf(
      "{\"full_rate\": %.0f, \"events\": %zu, \"lost\": 0, \"duplicates\": %zu, \"p50_ms\": %.3f, "
      "\"p99_ms\": %.3f, \"max_ms\": %.3f}\n",
      full, ages.size(), ages.size() - static_cast<std::size_t>(timed), at(0.5), at(0.99), at(1));
  std::fflush(stdout);
  ::_exit(0);  // threads wait for agents that go on
}
