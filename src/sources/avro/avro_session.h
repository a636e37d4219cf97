#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rpc/avro/call_reader.h"
#include "rpc/avro/event_decoder.h"
#include "rpc/source_session.h"

namespace standpipe {

/// What all connections of one Avro source share. Loop's thread, but for the counters.
struct AvroShared : rpc::SourceShared {
  AvroShared(Environment& environment, Ingest& target, std::size_t max_request);

  avro::Service service;
  avro::EventDecoder decoder;
};

/// One client: Avro calls in, answers out. See rpc::SourceSession.
class AvroSession final : public rpc::SourceSession {
 public:
  AvroSession(rpc::Server& server, AvroShared& shared, std::unique_ptr<Connection> connection)
      : SourceSession(server, shared, std::move(connection)), shared_(shared), calls_(shared.service) {}

 private:
  Status take_requests(StreamBuffer& buffer, std::vector<rpc::Request>& requests, bool& more) override {
    return calls_.take(buffer, requests, more);
  }
  Status serve(const rpc::Request& request) override;
  std::string answer_to(const EventCall& call, const Status& result) override;
  std::string_view hint(std::string_view first_bytes) const override { return calls_.hint(first_bytes); }

  AvroShared& shared_;
  avro::CallReader calls_;
};

}  // namespace standpipe
