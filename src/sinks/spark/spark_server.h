#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/session_set.h"
#include "sinks/spark/spark_session.h"

namespace standpipe {

/// The listening side of a Spark sink, for the sink's thread: requests come out of the inbox, replies go in, nothing
/// blocks but finish() and stop(). Its connections live on the loop.
class SparkServer {
 public:
  /// `changed` is called on the loop whenever there is a request, never again once stop() has returned.
  SparkServer(Environment& environment, std::function<void()> changed);
  SparkServer(const SparkServer&) = delete;
  SparkServer& operator=(const SparkServer&) = delete;

  Status start(const std::string& host, std::uint16_t port);
  SparkInbox& inbox() { return inbox_; }
  const SparkSequence& sequence() const { return sequence_; }
  bool has_connections() const { return open_.value() > 0; }
  void send(std::vector<SparkReply> replies);
  /// The time of a batch is over that was sent there: a receiver that has not even read it is disconnected.
  void expired(const std::weak_ptr<SparkSession>& session, std::uint64_t batch);
  /// Listens and reads no more: what has come is in the inbox.
  void finish();
  /// After finish(), if ever started: sends for half a second what is not sent, and closes all connections.
  void stop();

 private:
  void open(std::unique_ptr<Connection> connection);
  void close(avro::ServerSession& session);
  void sweep_later();

  Environment& environment_;
  Counter& open_;
  Counter& created_;
  Counter& closed_;
  // Their own: acknowledgements are read however full the agent is.
  MemoryBudget request_memory_;
  SparkInbox inbox_;
  SparkSequence sequence_;
  avro::ServerShared shared_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Timer> sweeper_;
  SessionSet<SparkSession> sessions_;
  std::uint64_t next_session_ = 1;
};

}  // namespace standpipe
