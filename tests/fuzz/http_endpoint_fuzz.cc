// The endpoint for metrics over a network that is only in memory: the input comes in pieces and may end at any time.
// Every request gets one whole answer at most, and only a well-formed one reaches the pages.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/text.h"
#include "monitor/http_endpoint.h"

namespace {

using namespace standpipe;

class NoLog final : public Log {
 public:
  bool enabled(Level) const override { return false; }
  void write(Level, std::string_view) override {}
};

// What one client sends and is sent.
struct Client {
  std::string_view input;
  std::size_t piece;
  bool ends;
  ConnectionHandler* handler = nullptr;
  bool reading = false;
  bool finished = false;
  std::string answer = {};
};

class MemoryConnection final : public Connection {
 public:
  explicit MemoryConnection(Client& client) : client_(client) {}
  ~MemoryConnection() override { client_.handler = nullptr; }
  void attach(ConnectionHandler& handler) override { client_.handler = &handler; }
  void resume_reading() override { client_.reading = true; }
  void pause_reading() override { client_.reading = false; }
  Result<Read> read(char* target, std::size_t room) override {
    const std::size_t size = std::min({client_.piece, room, client_.input.size()});
    std::memcpy(target, client_.input.data(), size);
    client_.input.remove_prefix(size);
    return Read{size, size == 0 && client_.ends};
  }
  void write(std::string bytes) override {
    CHECK(!client_.finished);
    client_.answer += bytes;
  }
  void write(std::shared_ptr<const Slab>, std::string_view bytes) override { write(std::string(bytes)); }
  void finish_writing() override { client_.finished = true; }
  std::size_t unsent() const override { return 0; }
  const std::string& peer() const override { return peer_; }

 private:
  Client& client_;
  const std::string peer_ = "127.0.0.1:1";
};

class MemoryNetwork final : public Network {
 public:
  Result<std::unique_ptr<Listener>> listen(const ListenOptions&, Accept accept) override {
    accept_ = std::move(accept);
    return std::unique_ptr<Listener>(std::make_unique<MemoryListener>());
  }
  std::unique_ptr<Connecting> connect(const ConnectOptions&, Connected) override {
    return std::make_unique<Connecting>();
  }
  std::unique_ptr<Timer> call_after(std::chrono::milliseconds, std::function<void()>) override {
    return std::make_unique<Timer>();
  }
  void run(const std::function<void()>& task) override { task(); }
  void post(std::function<void()> task) override { task(); }
  Door door() override {
    return [](const std::function<void()>& task) { task(); };
  }
  void accept(Client& client) { accept_(std::make_unique<MemoryConnection>(client)); }

 private:
  struct MemoryListener final : Listener {
    std::uint16_t port() const override { return 1; }
  };
  Accept accept_;
};

void check_answer(std::string_view answer) {
  CHECK(answer.starts_with("HTTP/1.1 "));
  const std::size_t head = answer.find("\r\n\r\n");
  CHECK(head != std::string_view::npos);
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  const std::size_t at = answer.find(kLength);
  CHECK(at < head);
  const std::string_view rest = answer.substr(at + kLength.size());
  const auto length = parse_integer(rest.substr(0, rest.find('\r')));
  const std::size_t body = answer.size() - head - 4;
  CHECK(length.has_value() && (body == 0 || body == static_cast<std::size_t>(*length)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  Client client{.input = {reinterpret_cast<const char*>(data) + 2, size - 2},
                .piece = 1 + data[0] % 64u * 4,
                .ends = (data[1] & 1) != 0};
  NoLog log;
  MemoryNetwork network;
  int pages = 0;
  HttpEndpoint endpoint(network, log, [&pages](std::string_view path) {
    CHECK(path.starts_with('/') && path.find_first_of("? \r\n") == std::string_view::npos);
    ++pages;
    return HttpReply{path.size() % 2 == 0 ? 200 : 404, {}, path.size() % 3 == 0 ? "" : std::string(path)};
  });
  CHECK(endpoint.start("127.0.0.1", 0).ok());
  network.accept(client);
  while (client.handler != nullptr && client.reading && (!client.input.empty() || client.ends))
    client.handler->readable();
  endpoint.stop();
  CHECK(client.handler == nullptr && pages <= 1);
  if (!client.answer.empty()) check_answer(client.answer);
  return 0;
}
