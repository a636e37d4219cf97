#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/avro/datum.h"
#include "rpc/avro/frame_reader.h"
#include "rpc/avro/known_clients.h"
#include "rpc/request.h"

namespace standpipe::avro {

/// What the connections of one Avro server share. Loop's thread.
struct Service {
  const ServedProtocol& protocol;
  const std::size_t max_request;
  const unsigned widest_window = 0;  ///< the most requests that a client of ours may have open; 0: it is told nothing
  /// What is said of a client that speaks TLS or deflate, and should not.
  const std::string_view tls_hint = "; it speaks TLS";
  const std::string_view deflate_hint = "; it sends deflate";
  KnownClients clients{protocol};
  std::vector<Message> messages = {};  ///< scratch
};

/// What a request turned out to be. Views point into the request.
struct Call {
  explicit Call(const rpc::Request& request) : serial(request.serial), parameters(request.bytes) {}

  const std::int32_t serial;
  DatumReader parameters;
  std::string_view method = {};  ///< empty: nothing is to be carried out
  std::string front = {};        ///< stands before the answer's message: the handshake's answer
  unsigned window = 0;           ///< that the client was granted with it
};

/// The calls of one connection: frames, and the handshake in front of the first.
class CallReader {
 public:
  explicit CallReader(Service& service) : service_(service), frames_(service.max_request) {}

  /// See rpc::Session::take_requests().
  Status take(StreamBuffer& buffer, std::vector<rpc::Request>& requests, bool& more);
  /// Reads the handshake, where there is none yet, and the method. What needs no carrying out has its answer in
  /// `reply`, also where it fails because the client's protocol does not fit. Fails when nothing behind it can be
  /// trusted.
  Status open(Call& call, std::string& reply);
  /// See rpc::Session::hint().
  std::string_view hint(std::string_view first_bytes) const;

 private:
  Status shake_hands(Call& call, std::string& reply);

  Service& service_;
  FrameReader frames_;
  bool established_ = false;  // the handshake is done
};

/// The answer to a call whose method there is not.
std::string no_such_method(const Call& call);

}  // namespace standpipe::avro
