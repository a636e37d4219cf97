#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rpc/source_session.h"
#include "rpc/thrift/event_decoder.h"
#include "rpc/thrift/frame_reader.h"
#include "rpc/thrift/message.h"

namespace standpipe {

/// What all connections of one Thrift source share. Loop's thread, but for the counters.
struct ThriftShared : rpc::SourceShared {
  ThriftShared(Environment& environment, Ingest& target, thrift::Protocol spoken, std::size_t largest_request)
      : SourceShared(environment, target), protocol(spoken), max_request(largest_request) {}

  const thrift::Protocol protocol;
  const std::size_t max_request;
  thrift::EventDecoder decoder;
  std::vector<std::string_view> messages;  // scratch
};

/// One client: Thrift calls in, answers out. See rpc::SourceSession.
class ThriftSession final : public rpc::SourceSession {
 public:
  ThriftSession(rpc::Server& server, ThriftShared& shared, std::unique_ptr<Connection> connection)
      : SourceSession(server, shared, std::move(connection)), shared_(shared), frames_(shared.max_request) {}

 private:
  Status take_requests(StreamBuffer& buffer, std::vector<rpc::Request>& requests, bool& more) override;
  Status serve(const rpc::Request& request) override;
  std::string answer_to(const EventCall& call, const Status& result) override;
  std::string_view hint(std::string_view first_bytes) const override;

  Status serve_events(thrift::Reader& reader, const thrift::MessageHead& head, const rpc::Request& request);
  Status grant_window(thrift::Reader& reader, const thrift::MessageHead& head);
  void fault(const thrift::MessageHead& head, thrift::Fault fault, std::string_view text);

  ThriftShared& shared_;
  thrift::FrameReader frames_;
};

}  // namespace standpipe
