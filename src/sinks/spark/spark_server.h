#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sinks/spark/spark_session.h"

namespace standpipe {

/// The listening side of a Spark sink, for the sink's thread: requests come out of the inbox, replies go in, nothing
/// blocks but finish() and stop(). Its connections live on the loop.
class SparkServer {
 public:
  /// `changed` is called on the loop whenever there is a request, never again once stop() has returned. `patience` is
  /// had with receivers that stand still.
  SparkServer(Environment& environment, std::chrono::milliseconds patience, std::function<void()> changed);
  SparkServer(const SparkServer&) = delete;
  SparkServer& operator=(const SparkServer&) = delete;

  Status start(const std::string& host, std::uint16_t port);
  SparkInbox& inbox() { return shared_.inbox; }
  const SparkSequence& sequence() const { return shared_.sequence; }
  bool has_connections() const { return shared_.created.value() > shared_.closed.value(); }
  void send(std::vector<SparkReply> replies);
  /// The time of a batch is over that was sent there: a receiver that has not even read it is disconnected.
  void expired(const std::weak_ptr<SparkSession>& session, std::uint64_t batch);
  /// Listens and reads no more: what has come is in the inbox.
  void finish() { server_.finish(); }
  /// After finish(), if ever started: sends for half a second what is not sent, and closes all connections.
  void stop();

 private:
  Environment& environment_;
  // Their own: acknowledgements are read however full the agent is.
  MemoryBudget request_memory_;
  SparkShared shared_;
  rpc::Server server_;
};

}  // namespace standpipe
