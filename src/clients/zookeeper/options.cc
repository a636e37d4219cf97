#include "clients/zookeeper/options.h"

#include <fmt/format.h>

#include "base/secrets.h"
#include "base/text.h"
#include "clients/zookeeper/connect_string.h"
#include "io/file_system.h"

namespace standpipe::zookeeper {

namespace {

using Properties = std::map<std::string, std::string, std::less<>>;

constexpr std::uint64_t kMaxAuthFile = 64 << 10;

std::string_view property(const Properties& properties, std::string_view key) {
  const auto found = properties.find(key);
  return found == properties.end() ? std::string_view() : std::string_view(found->second);
}

Status read_time(const Properties& properties, std::string_view key, std::chrono::milliseconds& time) {
  const std::string_view text = property(properties, key);
  if (text.empty()) return {};
  const auto number = parse_integer(text);
  if (!number || *number < 100 || *number > 3'600'000) {
    return {Code::invalid, fmt::format("-D{}={} is no number of milliseconds from 100 to 3600000", key, text)};
  }
  time = std::chrono::milliseconds(*number);
  return {};
}

Status read_auth(std::string_view path, Options& options) {
  if (path.empty()) return {};
  constexpr std::string_view kShape = "its first line is scheme:identity, such as digest:user:password";
  TRY_ASSIGN(const std::string content, read_file(real_file_system(), std::string(path), kMaxAuthFile));
  const std::string_view line = trim(std::string_view(content).substr(0, content.find('\n')));
  const std::size_t colon = line.find(':');
  if (colon == line.npos || colon == 0 || colon + 1 == line.size()) {
    return {Code::invalid, fmt::format("-Dstandpipe.zookeeper.auth.file={}: {}", path, kShape)};
  }
  options.auth_scheme = line.substr(0, colon);
  options.auth = line.substr(colon + 1);
  keep_secret({options.auth, options.auth.substr(options.auth.find(':') + 1)});
  return {};
}

/// A connection without what was asked for would show the configuration to whoever listens.
Status refuse_what_is_not_here(const Properties& properties) {
  if (equals_ignoring_case(property(properties, "zookeeper.client.secure"), "true")) {
    return {Code::invalid,
            "-Dzookeeper.client.secure=true: the ZooKeeper client has no TLS here (Debian builds its library without); "
            "take the property away to connect without, or put a TLS tunnel in between"};
  }
  return {};
}

/// Java's client uses it where it has a section for ZooKeeper, and most such files are for other systems.
void mention_sasl(const Properties& properties, Options& options) {
  if (property(properties, "java.security.auth.login.config").empty()) return;
  if (equals_ignoring_case(property(properties, "zookeeper.sasl.client"), "false")) return;
  options.notes.emplace_back(
      "-Djava.security.auth.login.config is not used for ZooKeeper: its client here has no SASL (Debian builds the "
      "library without); a digest identity can be named with -Dstandpipe.zookeeper.auth.file=FILE");
}

}  // namespace

Result<Options> read_options(std::string_view connect, const Properties& properties) {
  Options options;
  TRY_ASSIGN(const ConnectString parsed, parse_connect_string(connect));
  options.connect = parsed.text();
  TRY(refuse_what_is_not_here(properties));
  mention_sasl(properties, options);
  TRY(read_time(properties, "standpipe.zookeeper.session.timeout.ms", options.session_timeout));
  TRY(read_time(properties, "standpipe.zookeeper.connect.timeout.ms", options.connect_timeout));
  TRY(read_auth(property(properties, "standpipe.zookeeper.auth.file"), options));
  return options;
}

}  // namespace standpipe::zookeeper
