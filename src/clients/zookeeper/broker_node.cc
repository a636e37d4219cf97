#include "clients/zookeeper/broker_node.h"

#include <algorithm>
#include <cctype>
#include <map>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/text.h"

namespace standpipe::zookeeper {

std::string protocol_name(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

namespace {

constexpr std::size_t kMaxNode = 64 << 10;
constexpr std::size_t kMaxEndpoints = 64;
constexpr std::size_t kMaxHost = 253;

using Json = simdjson::dom::element;
using Object = simdjson::dom::object;
using ProtocolMap = std::map<std::string, std::string, std::less<>>;

Status corrupt(std::string_view why) { return {Code::corrupt, fmt::format("not what a broker writes: {}", why)}; }

/// What comes out goes into a list that commas separate, and into logs.
bool is_host(std::string_view text) {
  const auto allowed = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return std::isalnum(byte) != 0 || c == '.' || c == '-' || c == '_' || c == ':' || c == '%';
  };
  return !text.empty() && text.size() <= kMaxHost && std::all_of(text.begin(), text.end(), allowed);
}

bool is_listener_name(std::string_view text) {
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
  };
  return !text.empty() && text.size() <= 249 && std::all_of(text.begin(), text.end(), allowed);
}

Result<ProtocolMap> read_protocols(Object node) {
  ProtocolMap protocols;
  Json value;
  if (node["listener_security_protocol_map"].get(value) != simdjson::SUCCESS || value.is_null()) return protocols;
  Object map;
  if (value.get(map) != simdjson::SUCCESS) return corrupt("'listener_security_protocol_map' is no object");
  for (const auto [listener, name] : map) {
    std::string_view protocol;
    if (name.get(protocol) != simdjson::SUCCESS) return corrupt("a security protocol is no text");
    if (!is_listener_name(protocol)) return corrupt("a security protocol is none");
    if (protocols.size() == kMaxEndpoints) return corrupt("too many listeners");
    protocols.emplace(protocol_name(listener), protocol_name(protocol));
  }
  return protocols;
}

/// "SASL_SSL://host:9093", "EXTERNAL://[::1]:9092". A host that is left out ("PLAINTEXT://:9092") gives an empty one.
Result<BrokerEndpoint> parse_endpoint(std::string_view text, const ProtocolMap& protocols) {
  const std::size_t separator = text.find("://");
  const std::size_t colon = text.rfind(':');
  if (separator == text.npos || colon <= separator + 2) return corrupt("an endpoint is no LISTENER://host:port");
  BrokerEndpoint endpoint;
  endpoint.listener = protocol_name(text.substr(0, separator));
  if (!is_listener_name(endpoint.listener)) return corrupt("an endpoint has no listener's name");
  std::string_view host = text.substr(separator + 3, colon - separator - 3);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (!host.empty() && !is_host(host)) return corrupt("an endpoint has a host that is none");
  endpoint.host = host;
  const auto port = parse_integer(text.substr(colon + 1));
  if (!port || *port < -1 || *port > 65'535) return corrupt("an endpoint has a port that is none");
  endpoint.port = static_cast<int>(*port);
  const auto mapped = protocols.find(endpoint.listener);
  endpoint.protocol = mapped == protocols.end() ? endpoint.listener : mapped->second;
  return endpoint;
}

Result<std::vector<BrokerEndpoint>> read_endpoints(simdjson::dom::array list, const ProtocolMap& protocols) {
  std::vector<BrokerEndpoint> endpoints;
  if (list.size() > kMaxEndpoints) return corrupt("too many endpoints");
  for (const Json each : list) {
    std::string_view text;
    if (each.get(text) != simdjson::SUCCESS) return corrupt("an endpoint is no text");
    TRY_ASSIGN(BrokerEndpoint endpoint, parse_endpoint(text, protocols));
    if (!endpoint.host.empty() && endpoint.port > 0) endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

/// Version 1: "host" and "port". Later ones have them, too, for older clients: null and -1 without a plain listener.
Result<std::vector<BrokerEndpoint>> read_plain_endpoint(Object node) {
  std::string_view host;
  std::int64_t port = 0;
  if (node["host"].get(host) != simdjson::SUCCESS || node["port"].get(port) != simdjson::SUCCESS) {
    return corrupt("it has neither 'endpoints' nor 'host' and 'port'");
  }
  if (!is_host(host) || port < 1 || port > 65'535) return corrupt("'host' or 'port' is none");
  return std::vector<BrokerEndpoint>{{"PLAINTEXT", "PLAINTEXT", std::string(host), static_cast<int>(port)}};
}

}  // namespace

Result<std::vector<BrokerEndpoint>> parse_broker_node(std::string_view json) {
  if (json.size() > kMaxNode) return corrupt("it is too large");
  simdjson::dom::parser parser;
  Object node;
  if (const auto error = parser.parse(json.data(), json.size()).get(node); error != simdjson::SUCCESS) {
    return corrupt(simdjson::error_message(error));
  }
  std::int64_t version = 0;
  if (node["version"].get(version) != simdjson::SUCCESS || version < 1) return corrupt("'version' is missing");
  simdjson::dom::array list;
  if (version < 2 || node["endpoints"].get(list) != simdjson::SUCCESS) return read_plain_endpoint(node);
  TRY_ASSIGN(const ProtocolMap protocols, read_protocols(node));
  return read_endpoints(list, protocols);
}

const BrokerEndpoint* find_endpoint(const std::vector<BrokerEndpoint>& endpoints, std::string_view protocol) {
  const std::string wanted = protocol_name(protocol);
  const BrokerEndpoint* speaks_it = nullptr;
  for (const BrokerEndpoint& endpoint : endpoints) {
    if (endpoint.protocol != wanted) continue;
    if (endpoint.listener == wanted) return &endpoint;
    if (speaks_it == nullptr) speaks_it = &endpoint;
  }
  return speaks_it;
}

}  // namespace standpipe::zookeeper
