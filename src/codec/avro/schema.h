#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/avro/datum.h"
#include "standpipe/status.h"

namespace standpipe::avro {

/// An Avro schema out of its JSON text: enough to walk over data that follow it. A value type; immutable; thread-safe.
class Schema {
 public:
  enum class Type : unsigned char {
    null,
    boolean,
    int_,
    long_,
    float_,
    double_,
    bytes,
    string,
    record,
    enum_,
    array,
    map,
    union_,
    fixed
  };

  /// A node of the schema. Children are indexes: fields of a record, items of an array, values of a map, branches of a
  /// union. A name that occurs again is the same node.
  struct Node {
    Type type = Type::null;
    std::string name;  ///< full name of a record, enum or fixed
    std::vector<std::uint32_t> children;
    std::vector<std::string> labels;  ///< names of fields, symbols of an enum
    std::uint64_t size = 0;           ///< of a fixed
  };

  /// Code::invalid with what is wrong. Text above 1 MiB or nested deeper than 64 is refused.
  static Result<Schema> parse(std::string_view json);

  const Node& root() const { return nodes_[root_]; }
  const Node& node(std::uint32_t index) const { return nodes_[index]; }

  /// The text without white space between its parts, order kept: Flume's header `flume.avro.schema.literal`.
  const std::string& json() const { return json_; }
  /// Avro's parsing canonical form: equal for schemas that read the same data.
  const std::string& canonical() const { return canonical_; }
  /// CRC-64-AVRO of the canonical form.
  std::uint64_t fingerprint() const;
  /// As in Flume's header `flume.avro.schema.hash`: 16 hexadecimal digits, lowest byte first.
  std::string fingerprint_hex() const;

  /// Moves `reader` behind one datum of this schema; false when the bytes are none, or would cost absurd work.
  bool skip(DatumReader& reader) const;

 private:
  class Parser;
  struct Walk {
    DatumReader& reader;
    std::uint64_t steps;
  };
  bool skip(Walk& walk, const Node& node, int depth) const;
  bool skip_blocks(Walk& walk, const Node& node, int depth) const;

  std::vector<Node> nodes_;
  std::uint32_t root_ = 0;
  std::string json_;
  std::string canonical_;
};

/// CRC-64-AVRO, the Rabin fingerprint of Avro's specification.
std::uint64_t rabin_fingerprint(std::string_view text);

}  // namespace standpipe::avro
