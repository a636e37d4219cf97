#include "rpc/link.h"

#include <condition_variable>
#include <mutex>
#include <utility>

#include <fmt/format.h>

namespace standpipe::rpc {

namespace {

// Answers are short; an error's text is the longest.
constexpr std::size_t kAnswerMemory = 1 << 20;
constexpr std::size_t kAnswerSlab = 16 * 1024;
constexpr std::size_t kSentTogether = 128 * 1024;  // more than that need not wait for company

}  // namespace

/// One connection, from open() to close(). Lives on the loop; what the other thread sees is under the mutex.
class Link::Line final : public ConnectionHandler, public std::enable_shared_from_this<Line> {
 public:
  Line(Network& network, const ConnectOptions& peer, const MakeDialect& make_dialect, std::function<void()> changed)
      : network_(network), peer_(peer), make_dialect_(make_dialect), changed_(std::move(changed)) {
    view_.phase = Phase::connecting;
  }

  // -- on the loop ----------------------------------------------------------------------------------------------------

  void start() {
    connecting_ = network_.connect(peer_, [this](Result<std::unique_ptr<Connection>> connection) {
      const auto self = shared_from_this();
      connecting_ = nullptr;
      if (!connection.ok()) return fail(connection.status());
      dialect_ = make_dialect_();
      connection_ = dialect_->over(std::move(connection).value());
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
    end();
    // Whoever gives it up need not have looked.
    std::lock_guard lock(mutex_);
    view_.failure.ignore();
    for (const Answer& answer : answers_) answer.status.ignore();
  }

  void send(std::vector<Numbered> requests) {
    if (connection_ == nullptr) return;  // it has failed meanwhile: the view says so
    connection_->cork();
    for (Numbered& each : requests) dialect_->send(*connection_, each.serial, std::move(each.request));
    connection_->uncork();
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
  void readable() override {
    const auto self = shared_from_this();
    const std::span<char> room = buffer_.room();
    if (room.empty()) return fail(told("its answers are too large"));
    const auto read = connection_->read(room.data(), room.size());
    if (!read.ok()) return fail(lost(read.status()));
    if (read->size > 0) {
      buffer_.filled(read->size);
      const Status status = hear();
      if (!status.ok()) return fail(told(status.message()));
    }
    if (read->end) fail(lost(told("closed the connection")));
  }
  void sent() override {}
  void failed(const Status& status) override {
    const auto self = shared_from_this();
    fail(lost(status));
  }

  Status hear() {
    Dialect::Heard heard;
    TRY(dialect_->hear(*connection_, buffer_, heard));
    buffer_.release_if_empty();
    if (heard.answers.empty() && !heard.window) return {};
    publish([&] {
      if (heard.window) view_.phase = Phase::open;
      view_.window = heard.window.value_or(view_.window);
      for (Answer& answer : heard.answers) {
        if (!answer.status.ok()) answer.status = told(answer.status.message());
        answers_.push_back(std::move(answer));
      }
    });
    return {};
  }

  Status told(const std::string& what) const {
    return {Code::unavailable, fmt::format("{}:{} {}", peer_.host, peer_.port, what)};
  }

  Status lost(const Status& why) const {
    return {why.code(), fmt::format("{}{}", why.message(), dialect_ == nullptr ? "" : dialect_->hint())};
  }

  void fail(Status why) {
    end();
    publish([&] {
      if (view_.phase == Phase::closed) return why.ignore();  // whoever closed it asks no more
      view_.phase = Phase::failed;
      view_.failure = std::move(why);
    });
  }

  void end() {
    connection_ = nullptr;
    dialect_ = nullptr;
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
  const ConnectOptions peer_;
  const MakeDialect make_dialect_;
  std::function<void()> changed_;
  std::unique_ptr<Connecting> connecting_;
  std::unique_ptr<Dialect> dialect_;
  std::unique_ptr<Connection> connection_;
  MemoryBudget answer_memory_{kAnswerMemory, 0};  // its own: answers are read however full the agent is
  StreamBuffer buffer_{answer_memory_, kAnswerSlab};

  mutable std::mutex mutex_;
  std::condition_variable_any news_;
  std::uint64_t changes_ = 0;
  View view_;
  std::vector<Answer> answers_;
};

Link::Link(Network& network, ConnectOptions peer, MakeDialect make_dialect, std::function<void()> changed)
    : network_(network), peer_(std::move(peer)), make_dialect_(std::move(make_dialect)), changed_(std::move(changed)) {}

Link::~Link() {
  if (line_ == nullptr) return;
  network_.run([this] { line_->drop(); });
}

void Link::open() {
  close();
  line_ = std::make_shared<Line>(network_, peer_, make_dialect_, changed_);
  seen_ = 0;
  network_.post([line = line_] { line->start(); });
}

void Link::close() {
  collected_.clear();
  collected_bytes_ = 0;
  if (line_ == nullptr) return;
  line_->close();
  network_.run([this] { line_->drop(); });
}

Link::View Link::view() const { return line_ == nullptr ? View{} : line_->view(); }

void Link::send(std::int32_t serial, EncodedRequest request) {
  collected_bytes_ += request.bytes.size();
  collected_.push_back({serial, std::move(request)});
  if (collected_bytes_ >= kSentTogether) flush();
}

void Link::flush() {
  if (collected_.empty()) return;
  collected_bytes_ = 0;
  network_.post(
      [line = line_, requests = std::exchange(collected_, {})]() mutable { line->send(std::move(requests)); });
}

std::vector<Answer> Link::take_answers() { return line_ == nullptr ? std::vector<Answer>{} : line_->take_answers(); }

void Link::wait_for_news(Clock& clock, Clock::Steady deadline) {
  if (line_ != nullptr) seen_ = line_->wait_for_news(seen_, clock, deadline);
}

}  // namespace standpipe::rpc
