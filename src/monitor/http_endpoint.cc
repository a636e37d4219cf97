#include "monitor/http_endpoint.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace standpipe {

namespace {

constexpr std::size_t kMaxHead = 8 * 1024;
constexpr std::size_t kMaxClients = 64;
constexpr std::chrono::seconds kRequestTime{5};

std::string_view reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 431: return "Request Header Fields Too Large";
    case 503: return "Service Unavailable";
    default: return "Bad Request";
  }
}

struct Request {
  std::string_view method;
  std::string_view path;
};

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// The request line; nothing where it is none.
std::optional<Request> parse_request(std::string_view head) {
  std::string_view line = head.substr(0, head.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  const std::size_t first = line.find(' ');
  const std::size_t second = line.find(' ', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return std::nullopt;
  if (!line.substr(second + 1).starts_with("HTTP/1.")) return std::nullopt;
  const std::string_view target = line.substr(first + 1, second - first - 1);
  if (!target.starts_with('/') || std::any_of(target.begin(), target.end(), is_control)) return std::nullopt;
  return Request{line.substr(0, first), target.substr(0, target.find('?'))};
}

bool is_complete(std::string_view head) {
  return head.find("\r\n\r\n") != std::string_view::npos || head.find("\n\n") != std::string_view::npos;
}

std::string message_of(const HttpReply& reply, bool with_body) {
  std::string text = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\n{}Connection: close\r\n\r\n",
      reply.status, reason_of(reply.status), reply.content_type, reply.body.size(),
      reply.status == 405 ? "Allow: GET, HEAD\r\n" : "");
  if (with_body) text += reply.body;
  return text;
}

}  // namespace

/// One request and its answer.
class HttpEndpoint::Exchange final : public ConnectionHandler, public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(HttpEndpoint& endpoint, std::unique_ptr<Connection> connection)
      : endpoint_(endpoint), connection_(std::move(connection)) {}

  void start() {
    connection_->attach(*this);
    timer_ = endpoint_.network_.call_after(kRequestTime, [this] { end(); });
    connection_->resume_reading();
  }

 private:
  void readable() override {
    const auto self = shared_from_this();
    char chunk[2048];
    const auto read = connection_->read(chunk, sizeof chunk);
    if (!read.ok() || read->end) return end_of_input();
    if (answered_) return;  // what follows the request is read only to let the client read its answer
    head_.append(chunk, read->size);
    if (is_complete(head_)) return answer();
    if (head_.size() > kMaxHead) send({431, {}, {}}, true);
  }

  void answer() {
    const std::optional<Request> request = parse_request(head_);
    if (!request) return send({400, {}, {}}, true);
    if (request->method != "GET" && request->method != "HEAD") return send({405, {}, {}}, true);
    send(endpoint_.pages_(request->path), request->method == "GET");
  }

  void send(HttpReply reply, bool with_body) {
    if (reply.content_type.empty()) reply.content_type = "text/plain;charset=utf-8";
    if (reply.body.empty() && reply.status != 200) reply.body = fmt::format("{}\n", reason_of(reply.status));
    answered_ = true;
    connection_->write(message_of(reply, with_body));
    connection_->finish_writing();
  }

  // A client may close its side early and still wait for the answer; after the answer its end is the end.
  void end_of_input() {
    if (answered_ && connection_->unsent() > 0) return connection_->pause_reading();
    end();
  }

  void sent() override { connection_->resume_reading(); }
  void failed(const Status&) override { end(); }

  void end() {
    const auto self = shared_from_this();
    timer_ = nullptr;
    connection_ = nullptr;
    endpoint_.exchanges_.erase(this);
  }

  HttpEndpoint& endpoint_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Timer> timer_;
  std::string head_;
  bool answered_ = false;
};

HttpEndpoint::HttpEndpoint(Network& network, Log& log, Pages pages)
    : network_(network), log_(log), pages_(std::move(pages)) {}

HttpEndpoint::~HttpEndpoint() { stop(); }

Status HttpEndpoint::start(const std::string& host, std::uint16_t port) {
  ListenOptions options;
  options.host = host;
  options.port = port;
  options.max_connections = kMaxClients;
  options.log = &log_;
  TRY_ASSIGN(listener_,
             network_.listen(options, [this](std::unique_ptr<Connection> connection) { open(std::move(connection)); }));
  return {};
}

void HttpEndpoint::stop() {
  if (listener_ == nullptr) return;
  network_.run([this] {
    listener_ = nullptr;
    exchanges_.clear();
  });
}

void HttpEndpoint::open(std::unique_ptr<Connection> connection) {
  auto exchange = std::make_shared<Exchange>(*this, std::move(connection));
  exchanges_.emplace(exchange.get(), exchange);
  exchange->start();
}

}  // namespace standpipe
