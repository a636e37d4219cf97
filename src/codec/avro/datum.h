#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "standpipe/headers.h"

namespace standpipe::avro {

// Avro's binary encoding. Writing appends to a string, which its caller keeps and reuses.

void put_long(std::string& out, std::int64_t value);       ///< also int, enum and union index
void put_bytes(std::string& out, std::string_view bytes);  ///< also string
void put_boolean(std::string& out, bool value);
void put_float(std::string& out, float value);
void put_double(std::string& out, double value);
/// A map of string to string, as one block.
void put_headers(std::string& out, const Headers& headers);

/// Flume's event as a datum: a map of headers and a body. The same bytes for AvroFlumeEvent (RPC, Kafka) and for the
/// record `Event` of the AVRO_EVENT serializer.
void put_event(std::string& out, const Headers& headers, std::string_view body);
/// The schema of the AVRO_EVENT serializer's files.
inline constexpr std::string_view kEventSchema =
    R"({"type":"record","name":"Event","fields":[{"name":"headers","type":{"type":"map","values":"string"}},)"
    R"({"name":"body","type":"bytes"}]})";

/// Reads Avro's binary encoding out of memory that it does not own. Every call checks its bounds and returns false when
/// the bytes do not hold what was asked for; where it then stands is undefined.
class DatumReader {
 public:
  explicit DatumReader(std::string_view bytes) : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()) {}

  bool get_long(std::int64_t& value);
  bool get_int(std::int32_t& value);  ///< false when it does not fit
  bool get_bytes(std::string_view& bytes);
  bool get_boolean(bool& value);
  bool get_float(float& value);
  bool get_double(double& value);
  /// The next block of an array or map: the number of its items, 0 at the end. `bytes` is its size where it is stated,
  /// else -1.
  bool get_block(std::int64_t& count, std::int64_t& bytes);
  bool skip(std::int64_t bytes);
  /// What was not read yet.
  std::string_view rest() const { return {at_, remaining()}; }

  std::size_t position() const { return static_cast<std::size_t>(at_ - begin_); }
  std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }
  std::string_view since(std::size_t position) const { return {begin_ + position, this->position() - position}; }

 private:
  const char* begin_;
  const char* at_;
  const char* end_;
};

/// Reads what put_event() wrote, with any number of map blocks. `headers` is replaced; `body` points into the datum.
bool get_event(DatumReader& reader, Headers& headers, std::string_view& body);

}  // namespace standpipe::avro
