#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/log.h"
#include "rpc/session.h"
#include "standpipe/source.h"

namespace standpipe::rpc {

/// What Flume answers with FAILED, so that its client sends again; anything else is an error of the call.
bool is_channel_failure(const Status& status);

/// What all sessions of one source share. Loop's thread, but for the counters.
struct SourceShared {
  SourceShared(Environment& environment, Ingest& target);

  Ingest& ingest;
  LogLimiter failures{60'000};
  Counter& events_received;
  Counter& events_accepted;
  Counter& append_received;
  Counter& append_accepted;
  Counter& batch_received;
  Counter& batch_accepted;
};

/// A session whose clients send events: hands batches over and answers when they are stored, in the order of the
/// requests.
class SourceSession : public Session {
 public:
  SourceSession(Server& server, SourceShared& shared, std::unique_ptr<Connection> connection)
      : Session(server, std::move(connection)), shared_(shared) {}

 protected:
  /// A call that brings events.
  struct EventCall {
    bool single;  ///< append; else appendBatch
    std::int32_t serial;
    bool one_way = false;    ///< its client reads no answer
    std::string front = {};  ///< what stands in front of the answer's message
  };
  /// What its client is told, as bytes: stored, or why not.
  virtual std::string answer_to(const EventCall& call, const Status& result) = 0;

  /// Has the call answered when `batch` is stored, or is not.
  void deliver(Batch batch, EventCall call);
  /// From the next hand-over that fails on, those behind it fail too: younger events don't overtake those that come
  /// again.
  void refuse_behind_failures() { has_window_ = true; }

 private:
  void settle(std::uint64_t number, const EventCall& call, std::size_t events, const Status& result);

  SourceShared& shared_;
  bool has_window_ = false;
  bool refusing_ = false;
};

}  // namespace standpipe::rpc
