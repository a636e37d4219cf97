#pragma once

#include "codec/serializers/event_serializer.h"

namespace standpipe {

/// Flume's TEXT: the body and, unless told otherwise, a newline.
std::unique_ptr<EventSerializer> make_text_serializer(const Settings& settings);

/// Flume's HEADER_AND_TEXT: "{name=value, name2=value2} body". The headers come in the order in which Java's HashMap
/// lists them, since readers of such files compare lines.
std::unique_ptr<EventSerializer> make_header_and_text_serializer(const Settings& settings);

/// The braces and what is between them.
void append_java_map(const Headers& headers, std::string& out);

}  // namespace standpipe
