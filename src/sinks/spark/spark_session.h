#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "rpc/avro/call_reader.h"
#include "rpc/session.h"

namespace standpipe {

class SparkSession;

/// Whom an answer goes to.
struct SparkCaller {
  std::weak_ptr<SparkSession> session = {};  ///< looked at on the loop only
  std::uint64_t connection = 0;
  std::uint64_t call = 0;
  std::int32_t serial = 0;
  std::string front = {};  ///< what the answer's message begins with
};

/// What a connection has for the sink.
struct SparkRequest {
  enum class Kind : unsigned char {
    fetch,     ///< wants at most `events` events
    ack,       ///< has stored `batch`
    nack,      ///< could not store it
    not_sent,  ///< `batch` can't have arrived
    gone       ///< the connection has ended: what it asked for is not wanted any more
  };
  Kind kind = Kind::fetch;
  SparkCaller caller = {};
  std::int32_t events = 0;
  std::uint64_t batch = 0;  ///< 0: the text names no batch of this sink's
  std::string peer = {};    ///< of fetch
};

/// And what the sink has for a connection: a message, or a frame with the events of `batch`.
struct SparkReply {
  SparkCaller to = {};
  std::string message = {};
  rpc::EncodedRequest frame = {};
  std::uint64_t batch = 0;
};

/// Takes requests from the loop's thread to the sink's. Thread-safe.
class SparkInbox {
 public:
  /// `changed` is called, on the loop, after each request.
  explicit SparkInbox(std::function<void()> changed) : changed_(std::move(changed)) {}

  void put(SparkRequest request);
  std::vector<SparkRequest> take();
  /// Until there is a request, at most until the deadline.
  void wait(Clock& clock, Clock::Steady deadline);

 private:
  const std::function<void()> changed_;
  std::mutex mutex_;
  std::condition_variable_any news_;
  std::vector<SparkRequest> requests_;
};

/// What batches are called on the wire: a text of this run of the sink, so that no acknowledgement of an earlier one is
/// taken for one of this, and a number.
class SparkSequence {
 public:
  SparkSequence();
  std::string text(std::uint64_t number) const;
  /// 0: it is not one of these.
  std::uint64_t number(std::string_view text) const;

 private:
  std::string prefix_;
};

/// What all connections of one Spark sink share.
struct SparkShared {
  SparkShared(Environment& environment, std::function<void()> changed);

  SparkInbox inbox;
  const SparkSequence sequence;
  avro::Service service;
  Counter& created;
  Counter& closed;
  std::uint64_t next_connection = 1;  ///< loop's thread
};

/// One receiver's connection. Calls are answered as their answers come: a call for events that waits holds up no
/// acknowledgement behind it. Loop's thread.
class SparkSession final : public rpc::Session {
 public:
  SparkSession(rpc::Server& server, SparkShared& shared, std::unique_ptr<Connection> connection);
  /// False: the connection has ended.
  bool reply(SparkReply reply);
  /// Ends the connection when `batch` is still being sent: it would hold memory for as long as its peer likes.
  void expired(std::uint64_t batch);

 private:
  /// A batch that is being sent, and where in the stream it ends.
  struct OnTheWay {
    std::uint64_t batch;
    std::uint64_t end;
  };

  Status take_requests(StreamBuffer& buffer, std::vector<rpc::Request>& requests, bool& more) override {
    return calls_.take(buffer, requests, more);
  }
  Status serve(const rpc::Request& request) override;
  std::string_view hint(std::string_view first_bytes) const override { return calls_.hint(first_bytes); }
  void closing() override;

  SparkShared& shared_;
  avro::CallReader calls_;
  const std::uint64_t id_;
  std::deque<OnTheWay> on_the_way_;
};

}  // namespace standpipe
