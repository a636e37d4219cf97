#include "codec/avro/schema.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

namespace standpipe::avro {

namespace {

using Json = nlohmann::ordered_json;
using Type = Schema::Type;

constexpr std::size_t kLongestText = 1 << 20;
constexpr int kDeepestText = 64;
constexpr int kDeepestDatum = 256;
constexpr std::uint64_t kFixedLimit = std::uint64_t{1} << 31;

constexpr std::array<std::pair<std::string_view, Type>, 8> kPrimitives = {{{"null", Type::null},
                                                                           {"boolean", Type::boolean},
                                                                           {"int", Type::int_},
                                                                           {"long", Type::long_},
                                                                           {"float", Type::float_},
                                                                           {"double", Type::double_},
                                                                           {"bytes", Type::bytes},
                                                                           {"string", Type::string}}};

std::optional<Type> primitive(std::string_view name) {
  for (const auto& [known, type] : kPrimitives) {
    if (known == name) return type;
  }
  return std::nullopt;
}

/// Nesting of brackets outside strings, so that a hostile text is refused before anything walks it recursively.
int nesting(std::string_view json) {
  int depth = 0;
  int deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return deepest;
}

Status invalid(std::string what) { return {Code::invalid, "Avro schema: " + std::move(what)}; }

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  result += text;
  result += '"';
  return result;
}

}  // namespace

/// Builds nodes and, beside them, the canonical form.
class Schema::Parser {
 public:
  explicit Parser(Schema& schema) : schema_(schema) {}

  Result<std::uint32_t> read(const Json& json, const std::string& space) {
    if (json.is_string()) return by_name(json.get<std::string>(), space);
    if (json.is_array()) return read_union(json, space);
    if (!json.is_object()) return invalid("expected a name, an object or a list, found " + json.dump().substr(0, 60));
    const auto type = json.find("type");
    if (type == json.end()) return invalid("an object without \"type\": " + json.dump().substr(0, 60));
    if (!type->is_string()) return read(*type, space);
    const auto name = type->get<std::string>();
    if (name == "record" || name == "error") return read_record(json, space);
    if (name == "enum") return read_enum(json, space);
    if (name == "fixed") return read_fixed(json, space);
    if (name == "array") return read_container(json, "items", Type::array, space);
    if (name == "map") return read_container(json, "values", Type::map, space);
    return by_name(name, space);
  }

  std::string canonical;

 private:
  std::uint32_t add(Node node) {
    schema_.nodes_.push_back(std::move(node));
    return static_cast<std::uint32_t>(schema_.nodes_.size() - 1);
  }

  Result<std::uint32_t> by_name(const std::string& name, const std::string& space) {
    if (const auto type = primitive(name)) {
      canonical += in_quotes(name);
      return add({.type = *type, .name = {}, .children = {}, .labels = {}, .size = 0});
    }
    const std::string full = name.find('.') == std::string::npos && !space.empty() ? space + "." + name : name;
    const auto found = named_.find(full);
    if (found == named_.end()) return invalid("unknown type '" + full + "'");
    canonical += in_quotes(full);
    return found->second;
  }

  Result<std::uint32_t> read_union(const Json& json, const std::string& space) {
    const std::uint32_t index = add({.type = Type::union_, .name = {}, .children = {}, .labels = {}, .size = 0});
    canonical += '[';
    for (std::size_t i = 0; i < json.size(); ++i) {
      if (i > 0) canonical += ',';
      TRY_ASSIGN(const std::uint32_t branch, read(json[i], space));
      schema_.nodes_[index].children.push_back(branch);
    }
    canonical += ']';
    return index;
  }

  Result<std::uint32_t> read_container(const Json& json, const char* key, Type type, const std::string& space) {
    const auto inner = json.find(key);
    if (inner == json.end()) return invalid(std::string("an array or map without \"") + key + '"');
    const std::uint32_t index = add({.type = type, .name = {}, .children = {}, .labels = {}, .size = 0});
    canonical += std::string("{\"type\":") + (type == Type::array ? "\"array\",\"items\":" : "\"map\",\"values\":");
    TRY_ASSIGN(const std::uint32_t child, read(*inner, space));
    schema_.nodes_[index].children.push_back(child);
    canonical += '}';
    return index;
  }

  /// Registers a named type; the namespace that holds inside it goes to `space`.
  Result<std::uint32_t> add_named(const Json& json, Type type, std::string& space) {
    std::string name = text_of(json, "name");
    if (name.empty()) return invalid("a record, enum or fixed without a name");
    if (name.find('.') == std::string::npos) {
      const auto own = json.find("namespace");
      if (own != json.end() && own->is_string()) space = own->get<std::string>();
      if (!space.empty()) name = space + "." + name;
    } else {
      space = name.substr(0, name.rfind('.'));
    }
    if (named_.count(name) > 0 || primitive(name)) return invalid("'" + name + "' is defined twice");
    const std::uint32_t index = add({.type = type, .name = name, .children = {}, .labels = {}, .size = 0});
    named_[name] = index;
    canonical += "{\"name\":" + in_quotes(name) + ",\"type\":";
    return index;
  }

  Result<std::uint32_t> read_record(const Json& json, std::string space) {
    TRY_ASSIGN(const std::uint32_t index, add_named(json, Type::record, space));
    const auto fields = json.find("fields");
    if (fields == json.end() || !fields->is_array()) {
      return invalid("record '" + schema_.nodes_[index].name + "' has no list of fields");
    }
    canonical += "\"record\",\"fields\":[";
    for (std::size_t i = 0; i < fields->size(); ++i) {
      const Json& field = (*fields)[i];
      const std::string name = field.is_object() ? text_of(field, "name") : std::string();
      if (name.empty() || !field.contains("type")) {
        return invalid("a field of '" + schema_.nodes_[index].name + "' lacks its name or type");
      }
      canonical += (i > 0 ? ",{\"name\":" : "{\"name\":") + in_quotes(name) + ",\"type\":";
      TRY_ASSIGN(const std::uint32_t child, read(field["type"], space));
      canonical += '}';
      schema_.nodes_[index].children.push_back(child);
      schema_.nodes_[index].labels.push_back(name);
    }
    canonical += "]}";
    return index;
  }

  Result<std::uint32_t> read_enum(const Json& json, std::string space) {
    TRY_ASSIGN(const std::uint32_t index, add_named(json, Type::enum_, space));
    const auto symbols = json.find("symbols");
    if (symbols == json.end() || !symbols->is_array()) return invalid("an enum without symbols");
    canonical += "\"enum\",\"symbols\":[";
    for (std::size_t i = 0; i < symbols->size(); ++i) {
      if (!(*symbols)[i].is_string()) return invalid("a symbol that is no text");
      schema_.nodes_[index].labels.push_back((*symbols)[i].get<std::string>());
      canonical += (i > 0 ? "," : "") + in_quotes(schema_.nodes_[index].labels.back());
    }
    canonical += "]}";
    return index;
  }

  Result<std::uint32_t> read_fixed(const Json& json, std::string space) {
    TRY_ASSIGN(const std::uint32_t index, add_named(json, Type::fixed, space));
    const auto size = json.find("size");
    if (size == json.end() || !size->is_number_unsigned() || size->get<std::uint64_t>() > kFixedLimit) {
      return invalid("a fixed needs a size");
    }
    schema_.nodes_[index].size = size->get<std::uint64_t>();
    canonical += "\"fixed\",\"size\":" + std::to_string(schema_.nodes_[index].size) + "}";
    return index;
  }

  Schema& schema_;
  std::map<std::string, std::uint32_t, std::less<>> named_;
};

Result<Schema> Schema::parse(std::string_view json) {
  if (json.size() > kLongestText) return invalid("longer than 1 MiB");
  if (nesting(json) > kDeepestText) return invalid("nested deeper than 64");
  const Json tree = Json::parse(json, nullptr, false);
  if (tree.is_discarded()) return invalid("not JSON: " + std::string(json.substr(0, 60)));
  Schema schema;
  try {
    schema.json_ = tree.dump();
    Parser parser(schema);
    TRY_ASSIGN(schema.root_, parser.read(tree, ""));
    schema.canonical_ = std::move(parser.canonical);
  } catch (const nlohmann::json::exception& error) {  // text that is no UTF-8
    return invalid(error.what());
  }
  return schema;
}

std::uint64_t rabin_fingerprint(std::string_view text) {
  constexpr std::uint64_t kEmpty = 0xc15d213aa4d7a795;
  static const auto table = [] {
    std::array<std::uint64_t, 256> result{};
    for (std::uint64_t i = 0; i < result.size(); ++i) {
      std::uint64_t sum = i;
      for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ (kEmpty & (~(sum & 1) + 1));
      result[i] = sum;
    }
    return result;
  }();
  std::uint64_t sum = kEmpty;
  for (const char c : text) sum = (sum >> 8) ^ table[(sum ^ static_cast<unsigned char>(c)) & 0xff];
  return sum;
}

std::uint64_t Schema::fingerprint() const { return rabin_fingerprint(canonical_); }

std::string Schema::fingerprint_hex() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::uint64_t rest = fingerprint();
  std::string hex;
  for (int i = 0; i < 8; ++i, rest >>= 8) {
    hex += kDigits[rest >> 4 & 0xf];
    hex += kDigits[rest & 0xf];
  }
  return hex;
}

bool Schema::skip(DatumReader& reader) const {
  // A schema may say "two of these, each two of those": without a limit a few bytes could cost years.
  Walk walk{reader, 100'000 + 16 * static_cast<std::uint64_t>(reader.remaining())};
  return skip(walk, root(), 0);
}

bool Schema::skip(Walk& walk, const Node& node, int depth) const {
  if (depth > kDeepestDatum || walk.steps-- == 0) return false;
  DatumReader& reader = walk.reader;
  std::int64_t number = 0;
  std::int32_t index = 0;
  bool flag = false;
  std::string_view bytes;
  switch (node.type) {
    case Type::null: return true;
    case Type::boolean: return reader.get_boolean(flag);
    case Type::int_: return reader.get_int(index);
    case Type::long_: return reader.get_long(number);
    case Type::float_: return reader.skip(4);
    case Type::double_: return reader.skip(8);
    case Type::bytes:
    case Type::string: return reader.get_bytes(bytes);
    case Type::fixed: return reader.skip(static_cast<std::int64_t>(node.size));
    case Type::enum_:
      return reader.get_int(index) && index >= 0 && static_cast<std::size_t>(index) < node.labels.size();
    case Type::union_:
      if (!reader.get_int(index) || index < 0 || static_cast<std::size_t>(index) >= node.children.size()) return false;
      return skip(walk, nodes_[node.children[static_cast<std::size_t>(index)]], depth + 1);
    case Type::record:
      return std::all_of(node.children.begin(), node.children.end(),
                         [&](std::uint32_t child) { return skip(walk, nodes_[child], depth + 1); });
    case Type::array:
    case Type::map: return skip_blocks(walk, node, depth);
  }
  return false;
}

bool Schema::skip_blocks(Walk& walk, const Node& node, int depth) const {
  for (;;) {
    std::int64_t count = 0;
    std::int64_t bytes = 0;
    if (!walk.reader.get_block(count, bytes)) return false;
    if (count == 0) return true;
    if (bytes >= 0) {
      if (!walk.reader.skip(bytes)) return false;
      continue;
    }
    for (; count > 0; --count) {
      std::string_view key;
      if (node.type == Type::map && !walk.reader.get_bytes(key)) return false;
      const std::size_t before = walk.reader.position();
      if (!skip(walk, nodes_[node.children[0]], depth + 1)) return false;
      // Items without bytes (nulls) are all alike: no need to count to 2^62.
      if (node.type == Type::array && walk.reader.position() == before) break;
    }
  }
}

}  // namespace standpipe::avro
