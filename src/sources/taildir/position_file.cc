#include "sources/taildir/position_file.h"

#include <fmt/format.h>
#include <simdjson.h>

namespace standpipe::taildir {

namespace {

// Length of the valid UTF-8 sequence at the start of `text`, 0 when there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies beyond U+10FFFF.
  if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F)) return 0;
  if ((lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F)) return 0;
  return length;
}

void append_ascii(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\t': out += "\\t"; return;
    case '\b': out += "\\b"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\f': out += "\\f"; return;
    default: break;
  }
  const bool html = c == '<' || c == '>' || c == '&' || c == '=' || c == '\'';
  if (html || static_cast<unsigned char>(c) < 0x20) {
    out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
  } else {
    out += c;
  }
}

// As Gson writes a string with HTML escaping on.
void append_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view one = text.substr(0, std::max<std::size_t>(length, 1));
    if (length == 1) {
      append_ascii(out, text.front());
    } else if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (one == "\xE2\x80\xA8" || one == "\xE2\x80\xA9") {
      out += one.back() == '\xA8' ? "\\u2028" : "\\u2029";
    } else {
      out += one;
    }
    text.remove_prefix(one.size());
  }
  out += '"';
}

Result<std::uint64_t> number(simdjson::dom::object object, std::string_view key) {
  std::uint64_t value = 0;
  if (object[key].get(value) != simdjson::SUCCESS) {
    return Status(Code::corrupt, fmt::format("'{}' is missing or not a number", key));
  }
  return value;
}

Result<std::string> string(simdjson::dom::object object, std::string_view key) {
  std::string_view value;
  if (object[key].get(value) != simdjson::SUCCESS) {
    return Status(Code::corrupt, fmt::format("'{}' is missing or not a text", key));
  }
  return std::string(value);
}

// Calls `each` with every object of `array`.
template <typename Each>
Status for_each_object(simdjson::dom::array array, Each&& each) {
  for (const simdjson::dom::element element : array) {
    simdjson::dom::object object;
    if (element.get(object) != simdjson::SUCCESS) return {Code::corrupt, "an element is not an object"};
    TRY(each(object));
  }
  return {};
}

// The document as a T (array or object); it lives as long as `parser`.
template <typename T>
Result<T> document(simdjson::dom::parser& parser, std::string_view text) {
  T content;
  if (const auto error = parser.parse(text.data(), text.size()).get(content); error != simdjson::SUCCESS) {
    return Status(Code::corrupt, fmt::format("not the JSON expected: {}", simdjson::error_message(error)));
  }
  return content;
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

Result<Fingerprint> fingerprint(simdjson::dom::object object, std::string_view size_key, std::string_view hash_key) {
  TRY_ASSIGN(const std::uint64_t size, number(object, size_key));
  TRY_ASSIGN(const std::uint64_t hash, number(object, hash_key));
  if (size > Fingerprint::kHeadBytes) return Status(Code::corrupt, fmt::format("'{}' is too large", size_key));
  return Fingerprint{static_cast<std::uint32_t>(size), hash};
}

Result<Knowledge> knowledge_of(simdjson::dom::object object) {
  Knowledge entry;
  TRY_ASSIGN(entry.device, number(object, "device"));
  TRY_ASSIGN(entry.inode, number(object, "inode"));
  TRY_ASSIGN(entry.offset, number(object, "pos"));
  TRY_ASSIGN(entry.size, number(object, "size"));
  TRY_ASSIGN(entry.head, fingerprint(object, "headSize", "headHash"));
  TRY_ASSIGN(entry.tail, fingerprint(object, "tailSize", "tailHash"));
  if (entry.tail.size > entry.offset) return Status(Code::corrupt, "'tailSize' is larger than 'pos'");
  TRY_ASSIGN(entry.path, string(object, "file"));
  if (object["rotated"].get(entry.rotated) != simdjson::SUCCESS) return Status(Code::corrupt, "'rotated' is missing");
  return entry;
}

}  // namespace

std::string format_positions(const std::vector<Position>& positions) {
  if (positions.empty()) return {};
  std::string out = "[";
  for (const Position& position : positions) {
    if (out.size() > 1) out += ',';
    out += fmt::format("{{\"inode\":{},\"pos\":{},\"file\":", position.inode, position.offset);
    append_string(out, position.path);
    out += '}';
  }
  return out + "]";
}

Result<std::vector<Position>> parse_positions(std::string_view text) {
  std::vector<Position> positions;
  if (is_blank(text)) return positions;
  simdjson::dom::parser parser;
  TRY_ASSIGN(const auto array, document<simdjson::dom::array>(parser, text));
  TRY(for_each_object(array, [&](simdjson::dom::object object) -> Status {
    Position position;
    TRY_ASSIGN(position.inode, number(object, "inode"));
    TRY_ASSIGN(position.offset, number(object, "pos"));
    TRY_ASSIGN(position.path, string(object, "file"));
    positions.push_back(std::move(position));
    return {};
  }));
  return positions;
}

std::string format_knowledge(const KnowledgeFile& knowledge) {
  std::string out = fmt::format("{{\"before\":{},\"after\":{},\"files\":[", knowledge.before, knowledge.after);
  bool first = true;
  for (const Knowledge& entry : knowledge.files) {
    out += first ? "\n" : ",\n";
    first = false;
    out += fmt::format(
        "{{\"device\":{},\"inode\":{},\"pos\":{},\"size\":{},\"headSize\":{},\"headHash\":{},\"tailSize\":{},"
        "\"tailHash\":{},\"rotated\":{},\"file\":",
        entry.device, entry.inode, entry.offset, entry.size, entry.head.size, entry.head.hash, entry.tail.size,
        entry.tail.hash, entry.rotated);
    append_string(out, entry.path);
    out += '}';
  }
  return out + "\n]}\n";
}

Result<KnowledgeFile> parse_knowledge(std::string_view text) {
  KnowledgeFile knowledge;
  if (is_blank(text)) return knowledge;
  simdjson::dom::parser parser;
  TRY_ASSIGN(const auto object, document<simdjson::dom::object>(parser, text));
  TRY_ASSIGN(knowledge.before, number(object, "before"));
  TRY_ASSIGN(knowledge.after, number(object, "after"));
  simdjson::dom::array files;
  if (object["files"].get(files) != simdjson::SUCCESS) return Status(Code::corrupt, "'files' is missing");
  TRY(for_each_object(files, [&](simdjson::dom::object file) -> Status {
    TRY_ASSIGN(Knowledge entry, knowledge_of(file));
    knowledge.files.push_back(std::move(entry));
    return {};
  }));
  return knowledge;
}

}  // namespace standpipe::taildir
