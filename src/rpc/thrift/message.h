#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rpc/thrift/wire.h"
#include "standpipe/status.h"

namespace standpipe::thrift {

/// The methods of Flume's ThriftSourceProtocol.
inline constexpr std::string_view kAppend = "append";
inline constexpr std::string_view kAppendBatch = "appendBatch";
/// A method of ours: how many requests may be open on this connection. To Flume, and to whatever else, it is one that
/// it does not know, which it says, and goes on.
inline constexpr std::string_view kWindowMethod = "standpipe.window";

/// What a source answers with.
enum class RpcStatus : std::int32_t { ok = 0, failed = 1, error = 2, unknown = 3 };

/// Kinds of a TApplicationException.
enum class Fault : std::int32_t { unknown_method = 1, internal = 6, protocol = 7 };

// Answers, as whole frames: a method's result, and an error of the call.
void put_answer(std::string& out, Protocol protocol, std::string_view method, std::int32_t serial, std::int32_t result);
void put_fault(std::string& out, Protocol protocol, std::string_view method, std::int32_t serial, Fault fault,
               std::string_view text);
/// A call of kWindowMethod, as a whole frame.
void put_window_call(std::string& out, Protocol protocol, std::int32_t serial, unsigned window);

/// What stands behind the head of an answer. Ok: it has a result. Code::unavailable: the server said no, and why as far
/// as it said; Code::corrupt: these bytes are no answer.
Status get_result(Reader& reader, const MessageHead& head, std::int32_t& result);
/// Ok: the events are stored; else as get_result().
Status get_answer(Reader& reader, const MessageHead& head);
/// The parameter of a window call.
bool get_window_call(Reader& reader, unsigned& window);

/// The message of which `bytes` are the beginning is of that protocol.
bool speaks(std::string_view bytes, Protocol protocol);
std::string_view to_string(Protocol protocol);

}  // namespace standpipe::thrift
