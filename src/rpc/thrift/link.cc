#include "rpc/thrift/link.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "rpc/thrift/frame_reader.h"
#include "rpc/thrift/message.h"

namespace standpipe::thrift {

namespace {

// Answers are short; an error's text is the longest.
constexpr std::size_t kLargestAnswer = 256 * 1024;
constexpr std::int32_t kWindowSerial = 0;  // requests have others

/// One connection: the question for a window, requests and answers.
class ThriftDialect final : public rpc::Dialect {
 public:
  ThriftDialect(Network& network, const LinkOptions& options) : network_(network), options_(options) {}

  std::unique_ptr<Connection> over(std::unique_ptr<Connection> connection) override {
    if (options_.tls) connection = tls_client(std::move(connection), options_.tls, network_, options_.peer.host);
    return connection;
  }

  void send(Connection& connection, std::int32_t, rpc::EncodedRequest request) override {
    if (!std::exchange(asked_, true) && options_.window > 1) {
      std::string call;
      put_window_call(call, options_.protocol, kWindowSerial, options_.window);
      connection.write(std::move(call));
    }
    connection.write(std::move(request.slab), request.bytes);
  }

  Status hear(Connection&, StreamBuffer& buffer, Heard& heard) override {
    const bool first = !std::exchange(heard_, true);
    // Whoever speaks something else: its first bytes say more than the length that they make up.
    if (first && !buffer.unread().starts_with('\0')) {
      return {Code::corrupt, "does not answer in Thrift's frames: is its ssl as here, and is it a Thrift source?"};
    }
    do {
      TRY(frames_.scan(buffer));
      if (!frames_.found()) return {};
      const StreamBuffer::Part part = frames_.take(buffer, messages_);
      for (const std::string_view message : messages_) TRY(take_answer(message, heard));
    } while (frames_.more());
    return {};
  }

  std::string_view hint() const override {
    if (!asked_ || heard_) return "";
    return " before it answered: is it a thrift source, and are ssl and protocol as here? its log may tell";
  }

 private:
  Status take_answer(std::string_view message, Heard& heard) {
    if (!speaks(message, options_.protocol)) {
      return {Code::corrupt, fmt::format("does not answer by the {} protocol: set protocol alike on both sides",
                                         to_string(options_.protocol))};
    }
    Reader reader(message, options_.protocol);
    MessageHead head;
    if (!reader.get_message(head)) return {Code::corrupt, "its answer is no answer of Thrift's"};
    if (options_.window > 1 && head.serial == kWindowSerial) return take_window(reader, head, heard);
    if (options_.window <= 1 && !std::exchange(greeted_, true)) heard.window = 1;
    Status status = get_answer(reader, head);
    if (status.code() == Code::corrupt) return status;
    heard.answers.push_back({head.serial, std::move(status)});
    return {};
  }

  Status take_window(Reader& reader, const MessageHead& head, Heard& heard) {
    if (std::exchange(greeted_, true)) return {Code::corrupt, "answers what was not asked"};
    std::int32_t granted = 1;
    const Status status = get_result(reader, head, granted);
    if (status.code() == Code::corrupt) return status;
    if (!status.ok()) granted = 1;  // it is not one of ours, and says so
    heard.window = static_cast<unsigned>(std::clamp(granted, 1, static_cast<std::int32_t>(options_.window)));
    return {};
  }

  Network& network_;
  const LinkOptions options_;
  FrameReader frames_{kLargestAnswer};
  std::vector<std::string_view> messages_;
  bool asked_ = false;
  bool heard_ = false;
  bool greeted_ = false;
};

}  // namespace

Link::Link(Network& network, const LinkOptions& options, std::function<void()> changed)
    : rpc::Link(
          network, options.peer, [&network, options] { return std::make_unique<ThriftDialect>(network, options); },
          std::move(changed)) {}

}  // namespace standpipe::thrift
