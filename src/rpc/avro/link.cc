#include "rpc/avro/link.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "net/deflated_connection.h"
#include "rpc/avro/frame_reader.h"
#include "rpc/avro/message.h"

namespace standpipe::avro {

namespace {

// Answers are short; an error's text is the longest.
constexpr std::size_t kLargestAnswer = 256 * 1024;
constexpr std::size_t kAnswerMemory = 4 * kLargestAnswer;
constexpr std::size_t kAnswerSlab = 16 * 1024;

std::string word(std::size_t size) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift);
  return bytes;
}

}  // namespace

/// One connection, from open() to close(). Lives on the loop; what the other thread sees is under the mutex.
class Link::Line final : public ConnectionHandler, public std::enable_shared_from_this<Line> {
 public:
  Line(Network& network, const LinkOptions& options, std::function<void()> changed)
      : network_(network), options_(options), changed_(std::move(changed)) {
    view_.phase = Phase::connecting;
  }

  // -- on the loop ----------------------------------------------------------------------------------------------------

  void start() {
    connecting_ = network_.connect(options_.peer, [this](Result<std::unique_ptr<Connection>> connection) {
      const auto self = shared_from_this();
      connecting_ = nullptr;
      if (!connection.ok()) return fail(connection.status());
      connection_ = wrapped(std::move(connection).value());
      connection_->attach(*this);
      connection_->resume_reading();
      publish([this] {
        view_.phase = Phase::greeting;
        view_.connected = true;
      });
    });
  }

  void drop() {
    changed_ = nullptr;
    connecting_ = nullptr;
    connection_ = nullptr;
    first_ = {};
  }

  void send(std::int32_t serial, EncodedRequest request) {
    if (connection_ == nullptr) return;  // it has failed meanwhile: the view says so
    if (greeted_) return connection_->write(std::move(request.slab), request.bytes);
    first_ = std::move(request);
    first_serial_ = serial;
    greet({kSourceProtocolHash, {}, kSourceProtocolHash, options_.window});
  }

  // -- from the other thread ------------------------------------------------------------------------------------------

  View view() const {
    std::lock_guard lock(mutex_);
    return view_;
  }
  std::vector<Answer> take_answers() {
    std::lock_guard lock(mutex_);
    return std::exchange(answers_, {});
  }
  void close() {
    std::lock_guard lock(mutex_);
    view_ = {};
  }
  std::uint64_t wait_for_news(std::uint64_t seen, Clock& clock, Clock::Steady deadline) {
    std::unique_lock lock(mutex_);
    clock.wait_until(lock, news_, {}, deadline, [&] { return changes_ != seen; });
    return changes_;
  }

 private:
  std::unique_ptr<Connection> wrapped(std::unique_ptr<Connection> connection) {
    const auto deflate = [this](std::unique_ptr<Connection> below) {
      return deflated(std::move(below), {.level = *options_.deflate_level}, network_);
    };
    const bool outside = options_.deflate_outside_tls;
    if (options_.deflate_level && outside) connection = deflate(std::move(connection));
    if (options_.tls) connection = tls_client(std::move(connection), options_.tls, network_, options_.peer.host);
    if (options_.deflate_level && !outside) connection = deflate(std::move(connection));
    return connection;
  }

  void readable() override {
    const auto self = shared_from_this();
    const std::span<char> room = buffer_.room();
    if (room.empty()) return fail(told("its answers are too large"));
    const auto read = connection_->read(room.data(), room.size());
    if (!read.ok()) return fail(read.status());
    if (read->size > 0) {
      buffer_.filled(read->size);
      const Status status = take_answers_in();
      if (!status.ok()) return fail(told(status.message()));
    }
    if (read->end) fail(told("closed the connection"));
  }
  void sent() override {}
  void failed(const Status& status) override {
    const auto self = shared_from_this();
    fail(status);
  }

  /// The first request, or it again, behind a handshake: the call is not copied, it becomes the frame's second buffer.
  void greet(const HandshakeRequest& handshake) {
    std::string front;
    put_handshake(front, handshake);
    const std::string_view call = first_.bytes.substr(kFrameHead);
    const auto serial = static_cast<std::uint32_t>(first_serial_);
    connection_->write(word(serial) + word(2) + word(front.size()) + front + word(call.size()));
    connection_->write(first_.slab, call);
  }

  Status take_answers_in() {
    TRY(frames_.scan(buffer_));
    if (!frames_.found()) return {};
    const StreamBuffer::Part part = frames_.take(buffer_, messages_);
    std::vector<Answer> answers;
    for (const Message& message : messages_) TRY(take_answer(message, answers));
    buffer_.release_if_empty();
    if (answers.empty()) return {};
    publish([&] {
      for (Answer& answer : answers) answers_.push_back(std::move(answer));
    });
    return {};
  }

  Status take_answer(const Message& message, std::vector<Answer>& answers) {
    DatumReader reader(message.bytes);
    if (!greeted_) {
      TRY(take_greeting(reader));
      if (!greeted_) return {};  // the request is on its way again
    }
    const Status status = get_answer(reader);
    if (status.code() == Code::corrupt) return status;
    answers.push_back({message.serial, status.ok() ? status : told(status.message())});
    return {};
  }

  Status take_greeting(DatumReader& reader) {
    HandshakeResponse response;
    if (first_.slab == nullptr || !get_handshake(reader, response)) {
      return {Code::corrupt, "its answer is no answer of Avro's"};
    }
    if (response.match == HandshakeResponse::Match::none) return greet_again(response);
    greeted_ = true;
    first_ = {};
    publish([&] {
      view_.phase = Phase::open;
      view_.window = std::clamp(response.window, 1u, std::max(1u, options_.window));
    });
    return {};
  }

  Status greet_again(const HandshakeResponse& response) {
    if (std::exchange(sent_text_, true)) return {Code::corrupt, "refuses Flume's Avro protocol"};
    greet({kSourceProtocolTextHash, kSourceProtocolText, response.server_hash.value_or(kSourceProtocolHash),
           options_.window});
    return {};
  }

  Status told(const std::string& what) const {
    return {Code::unavailable, fmt::format("{}:{} {}", options_.peer.host, options_.peer.port, what)};
  }

  void fail(Status why) {
    connection_ = nullptr;
    first_ = {};
    publish([&] {
      if (view_.phase == Phase::closed) return;
      view_.phase = Phase::failed;
      view_.failure = std::move(why);
    });
  }

  template <typename Change>
  void publish(Change&& change) {
    {
      std::lock_guard lock(mutex_);
      change();
      ++changes_;
    }
    news_.notify_all();
    if (changed_) changed_();
  }

  Network& network_;
  const LinkOptions options_;
  std::function<void()> changed_;
  std::unique_ptr<Connecting> connecting_;
  std::unique_ptr<Connection> connection_;
  MemoryBudget answer_memory_{kAnswerMemory, 0};  // its own: answers are read however full the agent is
  StreamBuffer buffer_{answer_memory_, kAnswerSlab};
  FrameReader frames_{kLargestAnswer};
  std::vector<Message> messages_;
  EncodedRequest first_;  // until the handshake is done
  std::int32_t first_serial_ = 0;
  bool greeted_ = false;
  bool sent_text_ = false;

  mutable std::mutex mutex_;
  std::condition_variable_any news_;
  std::uint64_t changes_ = 0;
  View view_;
  std::vector<Answer> answers_;
};

Link::Link(Network& network, LinkOptions options, std::function<void()> changed)
    : network_(network), options_(std::move(options)), changed_(std::move(changed)) {}

Link::~Link() {
  if (line_ == nullptr) return;
  network_.run([this] { line_->drop(); });
}

void Link::open() {
  close();
  line_ = std::make_shared<Line>(network_, options_, changed_);
  seen_ = 0;
  network_.post([line = line_] { line->start(); });
}

void Link::close() {
  if (line_ == nullptr) return;
  line_->close();
  network_.run([this] { line_->drop(); });
}

Link::View Link::view() const { return line_ == nullptr ? View{} : line_->view(); }

void Link::send(std::int32_t serial, EncodedRequest request) {
  network_.post(
      [line = line_, serial, request = std::move(request)]() mutable { line->send(serial, std::move(request)); });
}

std::vector<Link::Answer> Link::take_answers() {
  return line_ == nullptr ? std::vector<Answer>{} : line_->take_answers();
}

void Link::wait_for_news(Clock& clock, Clock::Steady deadline) {
  if (line_ != nullptr) seen_ = line_->wait_for_news(seen_, clock, deadline);
}

}  // namespace standpipe::avro
