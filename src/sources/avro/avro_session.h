#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "net/network.h"
#include "net/stall_watch.h"
#include "net/stream_buffer.h"
#include "rpc/avro/event_decoder.h"
#include "rpc/avro/frame_reader.h"
#include "rpc/avro/known_clients.h"
#include "standpipe/source.h"

namespace standpipe {

/// What all connections of one Avro source share. Loop's thread, but for the counters.
struct AvroShared {
  AvroShared(Environment& environment, Ingest& ingest, std::size_t max_request);

  Environment& environment;
  Ingest& ingest;
  const std::size_t max_request;
  avro::KnownClients clients;
  avro::EventDecoder decoder;
  std::vector<avro::Message> messages;  // scratch
  LogLimiter bad_peer_limiter{60'000};
  LogLimiter failure_limiter{60'000};
  Counter& events_received;
  Counter& events_accepted;
  Counter& append_received;
  Counter& append_accepted;
  Counter& batch_received;
  Counter& batch_accepted;
  Counter& read_failed;
};

/// One client: requests in, answers out, in order. Belongs to the loop's thread; kept alive by its source until `ended`
/// was called, and by callbacks that are under way.
class AvroSession final : public ConnectionHandler, public std::enable_shared_from_this<AvroSession> {
 public:
  using Ended = std::function<void(AvroSession&)>;

  AvroSession(AvroShared& shared, std::unique_ptr<Connection> connection, Ended ended);

  void start();
  /// Reads no more; ends when all that was handed over is answered.
  void finish();
  /// Ends it when the peer has kept it waiting for too long.
  void end_if_stalled(const StallWatch::Patience& patience);
  /// Whether it has something to read and no memory for it.
  bool waits_for_memory() const { return timer_ != nullptr; }

 private:
  enum class Method : unsigned char { append, append_batch };

  /// A request that was handed over and is not answered yet.
  struct Pending {
    std::int32_t serial = 0;
    Method method = Method::append;
    std::size_t events = 0;
    std::string front;           // what stands before the answer: a handshake's
    std::optional<bool> answer;  // whether `front` holds it all (true), or the receipt has come (false)
    Status result = {};
  };

  /// A request that was read and waits for its turn.
  struct Waiting {
    std::shared_ptr<const Slab> slab;
    avro::Message message;
  };

  void readable() override;
  void sent() override;
  void failed(const Status& status) override;

  void work();
  bool step();
  bool read_once();
  bool take_requests();
  void serve_waiting();
  bool may_serve() const;
  Status serve(const Waiting& request);
  Status handshake(avro::DatumReader& reader, Pending& pending, bool& goes_on);
  Status call(avro::DatumReader& reader, const Waiting& request, Pending pending);
  void deliver(Batch batch, Pending pending);
  void answer_at_once(Pending pending);
  void completed(std::size_t number, const Status& status);
  void send_answers();
  void append_answer(std::string& out, Pending& pending);
  void put_failure(std::string& out, const Pending& pending);
  bool may_read() const;
  bool answered() const;
  void refuse(const Status& why);
  std::string hint() const;
  void wait_for_memory();
  void work_later();
  void go_on();
  void end();

  AvroShared& shared_;
  std::unique_ptr<Connection> connection_;
  Ended ended_;
  StreamBuffer buffer_;
  avro::FrameReader frames_;
  std::vector<Waiting> waiting_;  // from next_waiting_ on
  std::size_t next_waiting_ = 0;
  std::vector<Pending> pending_;
  std::size_t first_number_ = 0;  // of pending_.front()
  std::unique_ptr<Timer> timer_;  // waits for memory
  StallWatch watch_;
  std::string first_bytes_;   // of the connection: they say what else it may be
  bool established_ = false;  // the handshake is done
  bool has_window_ = false;   // a peer of ours, which waits for no answer before the next request
  bool refusing_ = false;     // one of its requests failed: those behind it must come again
  bool input_ended_ = false;
  bool works_later_ = false;
};

}  // namespace standpipe
