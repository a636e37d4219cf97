#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "rpc/session.h"
#include "rpc/thrift/event_decoder.h"
#include "rpc/thrift/frame_reader.h"
#include "rpc/thrift/message.h"

namespace standpipe {

/// What all connections of one Thrift source share. Loop's thread, but for the counters.
struct ThriftShared : rpc::SessionShared {
  ThriftShared(Environment& environment, Ingest& ingest, thrift::Protocol protocol, std::size_t max_request);

  const thrift::Protocol protocol;
  const std::size_t max_request;
  thrift::EventDecoder decoder;
  std::vector<std::string_view> messages;  // scratch
  Counter& append_received;
  Counter& append_accepted;
  Counter& batch_received;
  Counter& batch_accepted;
};

/// One client: Thrift calls in, answers out, in order. See rpc::Session.
class ThriftSession final : public rpc::Session {
 public:
  ThriftSession(ThriftShared& shared, std::unique_ptr<Connection> connection, Ended ended);

 private:
  Status take_requests(StreamBuffer& buffer, std::vector<Request>& requests, bool& more) override;
  Status serve(const Request& request) override;
  std::string_view hint(std::string_view first_bytes) const override;

  Status serve_events(thrift::Reader& reader, const thrift::MessageHead& head, const Request& request);
  Status grant_window(thrift::Reader& reader, const thrift::MessageHead& head);
  void fault(const thrift::MessageHead& head, thrift::Fault fault, std::string_view text);

  ThriftShared& shared_;
  thrift::FrameReader frames_;
};

}  // namespace standpipe
