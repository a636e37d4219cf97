#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/log.h"
#include "codec/text_decoder.h"
#include "net/network.h"
#include "net/stream_buffer.h"
#include "standpipe/source.h"

namespace standpipe {

/// What all connections of one netcat source share.
struct NetcatShared {
  NetcatShared(Environment& environment, Ingest& ingest, std::size_t max_line, bool acknowledge, std::string encoding);

  Environment& environment;
  Ingest& ingest;
  const std::size_t max_line;  ///< characters, the line feed included
  const bool acknowledge;
  const std::string encoding;
  LogLimiter too_long_limiter{60'000};
  LogLimiter unfinished_limiter{60'000};
  Counter& received;
  Counter& accepted;
  Counter& read_failed;
};

/// One client: lines in, answers out, in order. Belongs to the loop's thread; kept alive by its source until `ended`
/// was called, and by callbacks that are under way.
class NetcatSession final : public ConnectionHandler, public std::enable_shared_from_this<NetcatSession> {
 public:
  using Ended = std::function<void(NetcatSession&)>;
  NetcatSession(NetcatShared& shared, TextDecoder decoder, std::unique_ptr<Connection> connection, Ended ended);

  void start();
  /// Reads no more; ends when all that was handed over is answered.
  void finish();

 private:
  struct Pending {
    std::size_t lines;
    std::optional<Status> result;
  };

  void readable() override;
  void sent() override;
  void failed(const Status& status) override;

  bool read_once();
  void take_lines(std::size_t scanned);
  bool add_line(Batch& batch, std::string_view line, bool plain);
  bool too_long(std::string_view text);
  void reject_line();
  void end_of_input();
  void deliver(Batch batch);
  void completed(std::size_t number, const Status& status);
  void answer_completed();
  void answer(std::size_t lines, const Status& status);
  void wait_for_memory();
  void update_reading();
  void discard_input();
  void end();

  NetcatShared& shared_;
  TextDecoder decoder_;
  std::unique_ptr<Connection> connection_;
  Ended ended_;
  StreamBuffer buffer_;
  std::deque<Pending> pending_;
  std::size_t first_number_ = 0;  // of pending_.front()
  std::unique_ptr<Timer> timer_;  // waits for memory, or for a rejected client to go
  bool input_ended_ = false;
  bool rejected_ = false;
};

}  // namespace standpipe
