#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rpc/avro/event_decoder.h"
#include "rpc/avro/frame_reader.h"
#include "rpc/avro/known_clients.h"
#include "rpc/session.h"

namespace standpipe {

/// What all connections of one Avro source share. Loop's thread, but for the counters.
struct AvroShared : rpc::SessionShared {
  AvroShared(Environment& environment, Ingest& ingest, std::size_t max_request);

  const std::size_t max_request;
  avro::KnownClients clients{avro::kSourceProtocol};
  avro::EventDecoder decoder;
  std::vector<avro::Message> messages;  // scratch
  Counter& append_received;
  Counter& append_accepted;
  Counter& batch_received;
  Counter& batch_accepted;
};

/// One client: Avro calls in, answers out, in order; a handshake in front of the first. See rpc::Session.
class AvroSession final : public rpc::Session {
 public:
  AvroSession(AvroShared& shared, std::unique_ptr<Connection> connection, Ended ended);

 private:
  Status take_requests(StreamBuffer& buffer, std::vector<Request>& requests, bool& more) override;
  Status serve(const Request& request) override;
  std::string_view hint(std::string_view first_bytes) const override;

  Status handshake(avro::DatumReader& reader, std::string& front, bool& goes_on);
  Status call(avro::DatumReader& reader, const Request& request, std::string front);
  void deliver_events(Batch batch, bool single, std::int32_t serial, std::string front);

  AvroShared& shared_;
  avro::FrameReader frames_;
  bool established_ = false;  // the handshake is done
};

}  // namespace standpipe
