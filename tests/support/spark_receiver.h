#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "support/avro_client.h"
#include "support/tcp_client.h"

namespace standpipe::testing {

/// Calls of a receiver of Spark's as bytes, written down from the protocol: nothing of the code under test is used.
namespace spark_bytes {
/// By the hash of Spark's own protocol text.
std::string handshake();
std::string get_event_batch(std::int32_t events);
std::string ack(std::string_view sequence);
std::string nack(std::string_view sequence);
}  // namespace spark_bytes

/// A blocking receiver on one connection. Calls may be sent before earlier ones are answered.
class SparkTestReceiver {
 public:
  struct Answer {
    std::int32_t serial = 0;  ///< 0: the connection has ended
    std::string error;        ///< not empty: the call failed
    std::string message;      ///< of a batch that holds an error instead of events
    std::string sequence;
    std::vector<SentEvent> events;
    std::vector<std::string> bodies() const;
  };

  explicit SparkTestReceiver(std::uint16_t port) : client_(port) {}
  bool connected() const { return client_.connected(); }

  /// Send only; the call's serial.
  std::int32_t ask(std::int32_t events) { return send(spark_bytes::get_event_batch(events), true); }
  std::int32_t ack(std::string_view sequence) { return send(spark_bytes::ack(sequence), false); }
  std::int32_t nack(std::string_view sequence) { return send(spark_bytes::nack(sequence), false); }
  /// The next answer that comes, whatever call it belongs to.
  Answer answer();
  TcpClient& raw() { return client_; }

 private:
  std::int32_t send(const std::string& call, bool fetches);
  TcpClient client_;
  std::int32_t sent_ = 0;
  bool greeted_ = false;
  std::map<std::int32_t, bool> open_;  // serial -> whether a batch is the answer
};

}  // namespace standpipe::testing
