#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "codec/avro/datum.h"
#include "rpc/avro/protocol.h"
#include "standpipe/status.h"

namespace standpipe::avro {

/// The key in a handshake's meta map under which our own peers agree on how many requests may be open. Everybody else
/// ignores it.
inline constexpr std::string_view kWindowKey = "standpipe.window";

/// What stands in front of the first request of a connection. Views point into the message.
struct HandshakeRequest {
  ProtocolHash client_hash{};
  std::optional<std::string_view> client_protocol;
  ProtocolHash server_hash{};
  unsigned window = 0;  ///< 0: not one of ours
};

/// And in front of its answer.
struct HandshakeResponse {
  enum class Match : unsigned char { both = 0, client = 1, none = 2 };
  Match match = Match::both;
  std::optional<std::string_view> server_protocol;
  std::optional<ProtocolHash> server_hash;
  unsigned window = 0;
};

void put_handshake(std::string& out, const HandshakeRequest& handshake);
void put_handshake(std::string& out, const HandshakeResponse& handshake);
/// False: the bytes are none.
bool get_handshake(DatumReader& reader, HandshakeRequest& handshake);
bool get_handshake(DatumReader& reader, HandshakeResponse& handshake);

/// What comes behind the handshake: an empty meta map and the message's name; then its parameters.
void put_call(std::string& out, std::string_view method);
bool get_call(DatumReader& reader, std::string_view& method);

/// An answer: what the server's method returned, or its error.
void put_answer(std::string& out, RpcStatus status);
void put_error(std::string& out, std::string_view text);
/// Ok: the events are stored. Code::unavailable: the server said no, and why as far as it said; Code::corrupt: these
/// bytes are no answer.
Status get_answer(DatumReader& reader);

}  // namespace standpipe::avro
