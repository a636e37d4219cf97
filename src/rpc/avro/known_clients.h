#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

#include "rpc/avro/message.h"
#include "rpc/avro/protocol.h"
#include "standpipe/status.h"

namespace standpipe::avro {

/// The server's side of the handshake: which protocols clients may speak. Remembers, as Flume does, whose text it has
/// seen, so that the next connection need not send it; a thousand of them. One thread.
class KnownClients {
 public:
  /// `protocol` outlives it: what the server speaks.
  explicit KnownClients(const ServedProtocol& protocol) : protocol_(protocol) {}

  /// The answer to a handshake. It is established with Match::both and Match::client; Match::none asks the client to
  /// send its text. Code::invalid: the client's protocol does not fit.
  Result<HandshakeResponse> greet(const HandshakeRequest& request);

 private:
  bool is_ours(const ProtocolHash& hash) const { return hash == protocol_.hash || hash == protocol_.text_hash; }
  Status learn(const HandshakeRequest& request);
  const ServedProtocol& protocol_;
  std::unordered_set<std::string> hashes_;
};

}  // namespace standpipe::avro
