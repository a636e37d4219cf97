/// The load for bench/run.py, fast enough not to be what is measured:
///   loadgen make FILE FIRST COUNT BYTES [varied] COUNT lines of BYTES bytes (with line feed), numbered from FIRST;
///                                                varied: of words and numbers, which compress as logs do
///   loadgen send PORT CONNECTIONS COUNT BYTES    the same lines to a netcat source, counting the replies
///   loadgen loopback MEBIBYTES                   a plain copy over a loopback connection: the floor of network rows
///   loadgen verify COUNT FILE...                 which of the numbers 0..COUNT-1 are missing or come twice in the
///   files
/// `send`, `loopback` and `verify` print one JSON object. A line looks like an access log's:
///   0000000042 web07 GET /shop/item/42 200 - - - …
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr size_t kBlock = 1 << 20;
constexpr size_t kNumberDigits = 10;
constexpr uint64_t kWindow = 50'000;  // lines a connection may be ahead of the replies

[[noreturn]] void fail(std::string_view what) {
  std::fprintf(stderr, "loadgen: %.*s: %s\n", static_cast<int>(what.size()), what.data(), std::strerror(errno));
  std::exit(1);
}

uint64_t number(const char* text) {
  uint64_t value = 0;
  const char* end = text + std::strlen(text);
  auto [stop, error] = std::from_chars(text, end, value);
  if (error != std::errc{} || stop != end) {
    std::fprintf(stderr, "loadgen: '%s' is no number\n", text);
    std::exit(2);
  }
  return value;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Writes `n` with leading zeros.
void put_digits(char* to, size_t digits, uint64_t n) {
  for (; digits > 0; n /= 10) to[--digits] = static_cast<char>('0' + n % 10);
}

/// Appends line `n` to `out`. Hosts, paths and status codes vary with n, so that a route by status has work to do.
void append_line(std::string& out, uint64_t n, size_t bytes) {
  static constexpr std::array kStatus{"200", "200", "200", "404", "500"};
  static constexpr std::string_view kShape = "0000000000 web00 GET /shop/item/0000 200 ";
  std::array<char, kShape.size()> head;
  std::copy(kShape.begin(), kShape.end(), head.begin());
  put_digits(&head[0], kNumberDigits, n);
  put_digits(&head[14], 2, n % 20);
  put_digits(&head[32], 4, n % 9973);
  std::copy_n(kStatus[n % kStatus.size()], 3, &head[37]);
  const size_t used = std::min(head.size(), bytes - 1);
  out.append(head.data(), used);
  out.append(bytes - 1 - used, 'x');
  out.push_back('\n');
}

/// Appends line `n` to `out`, filled with words and numbers that follow from n.
void append_varied_line(std::string& out, uint64_t n, size_t bytes) {
  static constexpr std::array<std::string_view, 16> kWords{"user",  "session", "request", "took",   "bytes", "from",
                                                           "cache", "order",   "payment", "failed", "retry", "header",
                                                           "agent", "path",    "query",   "items"};
  const size_t end = out.size() + bytes - 1;
  std::array<char, kNumberDigits> number;
  put_digits(number.data(), number.size(), n);
  out.append(number.data(), number.size());
  for (uint64_t state = n; out.size() < end;) {
    state = state * 6364136223846793005 + 1442695040888963407;
    put_digits(number.data(), 4, (state >> 40) % 10'000);
    out.append(1, ' ').append(kWords[state >> 60]).append(1, '=').append(number.data(), 4);
  }
  out.resize(end);
  out.push_back('\n');
}

void write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    ssize_t n = ::write(fd, data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("write");
    data.remove_prefix(n);
  }
}

void make(const char* path, uint64_t first, uint64_t count, size_t bytes, bool varied) {
  int fd = ::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) fail(path);
  std::string block;
  for (uint64_t n = first; n < first + count; ++n) {
    varied ? append_varied_line(block, n, bytes) : append_line(block, n, bytes);
    if (block.size() < kBlock) continue;
    write_all(fd, block);
    block.clear();
  }
  write_all(fd, block);
  ::close(fd);
}

/// One client: keeps the socket's send side full while it counts the lines that come back.
class Client {
 public:
  Client(uint16_t port, uint64_t first, uint64_t count, size_t bytes)
      : next_(first), end_(first + count), bytes_(bytes) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) fail("connect");
    int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::fcntl(fd_, F_SETFL, O_NONBLOCK);
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void run() {
    const uint64_t count = end_ - next_;
    while (open_ && ok_ + refused_ < count) {
      fill();
      pollfd wait{fd_, static_cast<short>(POLLIN | (pending_.size() > sent_ ? POLLOUT : 0)), 0};
      if (::poll(&wait, 1, 60'000) <= 0) fail("no reply for a minute");
      if (wait.revents & (POLLIN | POLLHUP | POLLERR)) receive();
      if (wait.revents & POLLOUT) send();
    }
  }

  uint64_t ok() const { return ok_; }
  uint64_t refused() const { return refused_; }
  uint64_t made() const { return made_; }

 private:
  void fill() {
    if (sent_ < pending_.size()) return;
    pending_.clear();
    sent_ = 0;
    while (next_ < end_ && pending_.size() < kBlock / 4 && made_ - ok_ - refused_ < kWindow) {
      append_line(pending_, next_++, bytes_);
      ++made_;
    }
  }

  void send() {
    ssize_t n = ::send(fd_, pending_.data() + sent_, pending_.size() - sent_, MSG_NOSIGNAL);
    if (n > 0)
      sent_ += n;
    else if (errno != EAGAIN && errno != EINTR)
      open_ = false;
  }

  void receive() {
    ssize_t n = ::recv(fd_, input_.data(), input_.size(), 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) open_ = false;
    for (ssize_t i = 0; i < n; ++i) {
      if (line_length_ == 0) line_is_ok_ = input_[i] == 'O';
      ++line_length_;
      if (input_[i] != '\n') continue;
      ++(line_is_ok_ ? ok_ : refused_);
      line_length_ = 0;
    }
  }

  int fd_ = -1;
  uint64_t next_, end_;
  size_t bytes_;
  std::string pending_;
  size_t sent_ = 0;
  std::array<char, 1 << 16> input_;
  size_t line_length_ = 0;
  bool line_is_ok_ = false, open_ = true;
  uint64_t made_ = 0, ok_ = 0, refused_ = 0;
};

void send(uint16_t port, uint64_t connections, uint64_t count, size_t bytes) {
  std::vector<std::unique_ptr<Client>> clients;
  for (uint64_t i = 0; i < connections; ++i) {
    uint64_t first = count * i / connections;
    clients.push_back(std::make_unique<Client>(port, first, count * (i + 1) / connections - first, bytes));
  }
  auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (auto& client : clients) threads.emplace_back([&client] { client->run(); });
  for (auto& thread : threads) thread.join();
  double elapsed = seconds_since(start);
  uint64_t made = 0, ok = 0, refused = 0;
  for (auto& client : clients) made += client->made(), ok += client->ok(), refused += client->refused();
  std::printf("{\"sent\": %llu, \"ok\": %llu, \"refused\": %llu, \"seconds\": %.6f}\n",
              static_cast<unsigned long long>(made), static_cast<unsigned long long>(ok),
              static_cast<unsigned long long>(refused), elapsed);
}

void loopback(uint64_t mebibytes) {
  int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) < 0 || ::listen(listener, 1) < 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) < 0) {
    fail("listen");
  }
  const uint64_t total = mebibytes << 20;
  auto start = std::chrono::steady_clock::now();
  std::thread sender([address, total] {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) fail("connect");
    std::string block(kBlock / 16, 'x');
    for (uint64_t sent = 0; sent < total; sent += block.size()) write_all(fd, block);
    ::close(fd);
  });
  int fd = ::accept(listener, nullptr, nullptr);
  std::string input(kBlock / 16, '\0');
  uint64_t received = 0;
  for (ssize_t n; (n = ::read(fd, input.data(), input.size())) > 0;) received += n;
  sender.join();
  std::printf("{\"bytes\": %llu, \"seconds\": %.6f}\n", static_cast<unsigned long long>(received),
              seconds_since(start));
  ::close(fd);
  ::close(listener);
}

/// Counts how often each number begins a line. A line that begins otherwise is foreign: torn or not ours.
class Tally {
 public:
  explicit Tally(uint64_t count) : seen_(count, 0) {}

  void add_file(const char* path) {
    int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) fail(path);
    std::string block(kBlock, '\0');
    std::string begun;  // a line whose end is in the next block
    for (ssize_t n; (n = ::read(fd, block.data(), block.size())) > 0;)
      add_block(std::string_view(block.data(), n), begun);
    if (!begun.empty()) add_line(begun);
    ::close(fd);
  }

  void print() const {
    uint64_t lost = 0, twice = 0;
    for (uint8_t times : seen_) lost += times == 0, twice += times > 1 ? times - 1 : 0;
    std::printf("{\"lost\": %llu, \"duplicates\": %llu, \"foreign\": %llu}\n", static_cast<unsigned long long>(lost),
                static_cast<unsigned long long>(twice), static_cast<unsigned long long>(foreign_));
  }

 private:
  void add_block(std::string_view block, std::string& begun) {
    while (!block.empty()) {
      size_t end = block.find('\n');
      if (end == block.npos) {
        begun.append(block);
        return;
      }
      if (begun.empty()) {
        add_line(block.substr(0, end));
      } else {
        begun.append(block.substr(0, end));
        add_line(begun);
        begun.clear();
      }
      block.remove_prefix(end + 1);
    }
  }

  void add_line(std::string_view line) {
    uint64_t n = 0;
    auto [stop, error] = std::from_chars(line.data(), line.data() + std::min(line.size(), kNumberDigits), n);
    if (error != std::errc{} || stop != line.data() + kNumberDigits || n >= seen_.size()) {
      ++foreign_;
      return;
    }
    if (seen_[n] < UINT8_MAX) ++seen_[n];
  }

  std::vector<uint8_t> seen_;
  uint64_t foreign_ = 0;
};

int usage() {
  std::fprintf(stderr,
               "usage: loadgen make FILE FIRST COUNT BYTES [varied] | send PORT CONNECTIONS COUNT BYTES | "
               "loopback MEBIBYTES | verify COUNT FILE...\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "make" && (argc == 6 || (argc == 7 && std::string_view(argv[6]) == "varied"))) {
    make(argv[2], number(argv[3]), number(argv[4]), number(argv[5]), argc == 7);
  } else if (mode == "send" && argc == 6) {
    send(static_cast<uint16_t>(number(argv[2])), number(argv[3]), number(argv[4]), number(argv[5]));
  } else if (mode == "loopback" && argc == 3) {
    loopback(number(argv[2]));
  } else if (mode == "verify" && argc > 3) {
    Tally tally(number(argv[2]));
    for (int i = 3; i < argc; ++i) tally.add_file(argv[i]);
    tally.print();
  } else {
    return usage();
  }
  return 0;
}
