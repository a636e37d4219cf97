#include "rpc/avro/known_clients.h"

namespace standpipe::avro {

namespace {

constexpr std::size_t kMostRemembered = 1000;

}  // namespace

Result<HandshakeResponse> KnownClients::greet(const HandshakeRequest& request) {
  using Match = HandshakeResponse::Match;
  const bool known = is_ours(request.client_hash) ||
                     hashes_.contains(std::string(request.client_hash.data(), request.client_hash.size()));
  if (!known && request.client_protocol) TRY(learn(request));
  HandshakeResponse response;
  const bool accepted = known || request.client_protocol.has_value();
  if (accepted && is_ours(request.server_hash)) return response;
  response.match = accepted ? Match::client : Match::none;
  response.server_protocol = protocol_.text;
  response.server_hash = protocol_.hash;
  return response;
}

Status KnownClients::learn(const HandshakeRequest& request) {
  TRY(protocol_.check(*request.client_protocol));
  // Who sends its text each time is served all the same.
  if (hashes_.size() < kMostRemembered) hashes_.emplace(request.client_hash.data(), request.client_hash.size());
  return {};
}

}  // namespace standpipe::avro
