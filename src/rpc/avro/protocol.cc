#include "rpc/avro/protocol.h"

#include <nlohmann/json.hpp>

#include "codec/avro/schema.h"

namespace standpipe::avro {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLongestText = 64 * 1024;
constexpr int kDeepest = 32;  // a protocol of Flume's is seven deep

Status differs(const std::string& what) { return {Code::invalid, "the client's Avro protocol does not fit: " + what}; }

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Whether `name` is AvroFlumeEvent, with whatever namespace in front.
bool is_event(const Json& name) {
  if (!name.is_string()) return false;
  const auto text = name.get<std::string>();
  return text.substr(text.rfind('.') + 1) == "AvroFlumeEvent";
}

bool has_types(const Schema& schema, const Schema::Node& record) {
  if (record.type != Schema::Type::record || record.children.size() != 2) return false;
  const Schema::Node& headers = schema.node(record.children[0]);
  const Schema::Node& body = schema.node(record.children[1]);
  return record.labels[0] == "headers" && headers.type == Schema::Type::map &&
         schema.node(headers.children[0]).type == Schema::Type::string && record.labels[1] == "body" &&
         body.type == Schema::Type::bytes;
}

/// The text as JSON, when it is that protocol's.
Result<Json> parse(std::string_view text, const char* name) {
  if (text.size() > kLongestText) return differs("its text is longer than 64 KiB");
  const auto shallow = [](int depth, Json::parse_event_t, Json&) { return depth < kDeepest; };
  Json protocol = Json::parse(text, shallow, false);
  if (!protocol.is_object()) return differs("its text is no JSON object");
  if (text_of(protocol, "protocol") != name) return differs(std::string("it is not ") + name);
  return protocol;
}

Status check_event(const Json& protocol) {
  const auto types = protocol.find("types");
  if (types == protocol.end() || !types->is_array()) return differs("it has no types");
  for (const Json& type : *types) {
    if (!type.is_object() || !type.contains("name") || !is_event(type["name"])) continue;
    const auto schema = Schema::parse(type.dump(-1, ' ', false, Json::error_handler_t::replace));
    if (!schema.ok()) return schema.status().with_context("AvroFlumeEvent");
    if (has_types(*schema, schema->root())) return {};
    return differs("AvroFlumeEvent must be headers, a map of strings, and then a body of bytes");
  }
  return differs("it has no record AvroFlumeEvent");
}

/// The type of the message's only parameter. Null: there is no such message, or it has another number of parameters.
const Json* parameter(const Json& protocol, const char* message) {
  const auto messages = protocol.find("messages");
  if (messages == protocol.end() || !messages->is_object()) return nullptr;
  const auto found = messages->find(message);
  if (found == messages->end() || !found->is_object()) return nullptr;
  const auto request = found->find("request");
  if (request == found->end() || !request->is_array() || request->size() != 1) return nullptr;
  const Json& first = request->front();
  return first.is_object() && first.contains("type") ? &first["type"] : nullptr;
}

/// Whether it is that plain type, by itself or as an object that says more about it.
bool is_type(const Json& type, const char* name) {
  return type == name || (type.is_object() && text_of(type, "type") == name);
}

}  // namespace

const ProtocolHash kSourceProtocolHash{'\x86', '\xaa', '\xda', '\xe2', '\xc4', '\x54', '\x74', '\xc0',
                                       '\xfe', '\x93', '\xff', '\xd0', '\xf2', '\x35', '\x0a', '\x65'};

const std::string_view kSourceProtocolText =
    R"({"protocol":"AvroSourceProtocol","namespace":"org.apache.flume.source.avro","types":[)"
    R"({"type":"enum","name":"Status","symbols":["OK","FAILED","UNKNOWN"]},)"
    R"({"type":"record","name":"AvroFlumeEvent","fields":[)"
    R"({"name":"headers","type":{"type":"map","values":"string"}},{"name":"body","type":"bytes"}]}],)"
    R"("messages":{"append":{"request":[{"name":"event","type":"AvroFlumeEvent"}],"response":"Status"},)"
    R"("appendBatch":{"request":[{"name":"events","type":{"type":"array","items":"AvroFlumeEvent"}}],)"
    R"("response":"Status"}}})";

const ProtocolHash kSourceProtocolTextHash{'\x30', '\xda', '\x54', '\x05', '\x9d', '\xf7', '\x2d', '\x95',
                                           '\x84', '\xb8', '\x67', '\xd5', '\x20', '\x2e', '\x20', '\x69'};

Status check_client_protocol(std::string_view text) {
  TRY_ASSIGN(const Json protocol, parse(text, "AvroSourceProtocol"));
  TRY(check_event(protocol));
  const Json* one = parameter(protocol, "append");
  const Json* many = parameter(protocol, "appendBatch");
  if (one != nullptr && !is_event(*one)) return differs("append must take one AvroFlumeEvent");
  if (many != nullptr && !(many->is_object() && text_of(*many, "type") == "array" && many->contains("items") &&
                           is_event((*many)["items"]))) {
    return differs("appendBatch must take an array of AvroFlumeEvent");
  }
  return {};
}

const ServedProtocol kSourceProtocol{kSourceProtocolHash, kSourceProtocolText, kSourceProtocolTextHash,
                                     check_client_protocol};

const ProtocolHash kSparkProtocolHash{'\x45', '\xf3', '\xc2', '\xc4', '\xaa', '\x53', '\x24', '\x4c',
                                      '\xea', '\xac', '\xda', '\x67', '\x31', '\xde', '\xdf', '\xfb'};

const std::string_view kSparkProtocolText =
    R"({"protocol":"SparkFlumeProtocol","namespace":"org.apache.spark.streaming.flume.sink","types":[)"
    R"({"type":"record","name":"SparkSinkEvent","fields":[)"
    R"({"name":"headers","type":{"type":"map","values":"string"}},{"name":"body","type":"bytes"}]},)"
    R"({"type":"record","name":"EventBatch","fields":[{"name":"errorMsg","type":"string","default":""},)"
    R"({"name":"sequenceNumber","type":"string"},{"name":"events","type":{"type":"array","items":"SparkSinkEvent"}}]}],)"
    R"("messages":{"getEventBatch":{"request":[{"name":"n","type":"int"}],"response":"EventBatch"},)"
    R"("ack":{"request":[{"name":"sequenceNumber","type":"string"}],"response":"null"},)"
    R"("nack":{"request":[{"name":"sequenceNumber","type":"string"}],"response":"null"}}})";

const ProtocolHash kSparkProtocolTextHash{'\x6d', '\xc2', '\xa9', '\xf2', '\x6a', '\x07', '\x12', '\x9c',
                                          '\x93', '\x61', '\x39', '\x4c', '\x94', '\x68', '\x86', '\xbb'};

Status check_spark_client(std::string_view text) {
  TRY_ASSIGN(const Json protocol, parse(text, "SparkFlumeProtocol"));
  const Json* number = parameter(protocol, "getEventBatch");
  if (number != nullptr && !is_type(*number, "int")) return differs("getEventBatch must take an int");
  for (const char* message : {"ack", "nack"}) {
    const Json* sequence = parameter(protocol, message);
    if (sequence == nullptr || is_type(*sequence, "string")) continue;
    return differs(std::string(message) + " must take a string");
  }
  return {};
}

const ServedProtocol kSparkProtocol{kSparkProtocolHash, kSparkProtocolText, kSparkProtocolTextHash, check_spark_client};

}  // namespace standpipe::avro
