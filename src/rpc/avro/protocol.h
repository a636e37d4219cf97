#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "standpipe/status.h"

namespace standpipe::avro {

/// MD5 of a protocol's JSON text: its name on the wire.
using ProtocolHash = std::array<char, 16>;

/// Flume's AvroSourceProtocol. The hash is that of Flume's own text, which no source or sink of Flume's ever asks for
/// in full: its agents know each other by it.
extern const ProtocolHash kSourceProtocolHash;

/// What a peer gets that knows no hash of ours: the same protocol without the licence comment that Flume's text begins
/// with, and the MD5 of exactly this text.
extern const std::string_view kSourceProtocolText;
extern const ProtocolHash kSourceProtocolTextHash;

/// Ok when a client that encodes by this protocol sends what a Flume source reads: the messages append and appendBatch
/// with a map of strings and a body in each event. Code::invalid with what differs.
Status check_client_protocol(std::string_view text);

/// A protocol as a server speaks it: what clients that know it call it, and what others are told and asked.
struct ServedProtocol {
  ProtocolHash hash;                              ///< of the original's text
  std::string_view text;                          ///< ours, of the same meaning
  ProtocolHash text_hash;                         ///< of exactly that text
  Status (*check)(std::string_view client_text);  ///< ok: a client of that protocol is understood
};
extern const ServedProtocol kSourceProtocol;

/// Spark's SparkFlumeProtocol, by which its receivers pull; as above.
extern const ProtocolHash kSparkProtocolHash;
extern const std::string_view kSparkProtocolText;
extern const ProtocolHash kSparkProtocolTextHash;
/// Ok when a client that encodes by this protocol asks as Spark does: getEventBatch with a number, ack and nack with a
/// text. What it reads is its own affair: it resolves our answers by the text that it was given.
Status check_spark_client(std::string_view text);
extern const ServedProtocol kSparkProtocol;

/// What a source answers with: the wire knows an enum.
enum class RpcStatus : unsigned char { ok = 0, failed = 1, unknown = 2 };

}  // namespace standpipe::avro
