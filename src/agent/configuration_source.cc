#include "agent/configuration_source.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "agent/builtin.h"
#include "base/home.h"
#include "base/secrets.h"
#include "base/text.h"
#include "io/external_command.h"
#include "io/file_system.h"
#include "io/stream.h"
#include "net/http_get.h"

namespace standpipe {

namespace {

constexpr std::size_t kMaxBytes = 16u << 20;
constexpr std::chrono::seconds kTimeout{60};

/// "file" of "file:///etc/a.conf"; empty for a plain path.
std::string scheme_of(std::string_view name) {
  const std::size_t colon = name.find(':');
  if (colon == std::string_view::npos || colon < 2 || name.find('/') < colon) return {};
  return to_lower(name.substr(0, colon));
}

bool is_url(std::string_view name) {
  const std::string scheme = scheme_of(name);
  return scheme == "http" || scheme == "https";
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned value = 0;
    const bool escape =
        text[at] == '%' && at + 2 < text.size() &&
        std::from_chars(text.data() + at + 1, text.data() + at + 3, value, 16).ptr == text.data() + at + 3;
    decoded += escape ? static_cast<char>(value) : text[at];
    at += escape ? 2 : 0;
  }
  return decoded;
}

/// "https://user:password@host/path": the name goes into logs and diagnostics.
void take_credentials(FilesAndUrls::Location& location) {
  if (!is_url(location.name)) return;
  const std::size_t begin = std::min(location.name.find("://") + 3, location.name.size());
  const std::size_t end = std::min(location.name.find('/', begin), location.name.size());
  const std::size_t at = location.name.substr(0, end).rfind('@');
  if (at == std::string::npos || at < begin) return;
  const std::string credentials = location.name.substr(begin, at - begin);
  location.name.erase(begin, at + 1 - begin);
  if (!location.user.empty()) return;
  const std::size_t colon = std::min(credentials.find(':'), credentials.size());
  location.user = percent_decoded(credentials.substr(0, colon));
  location.password = percent_decoded(std::string_view(credentials).substr(std::min(colon + 1, credentials.size())));
}

Surroundings process_surroundings(std::map<std::string, std::string, std::less<>> system_properties) {
  Surroundings surroundings;
  surroundings.environment = [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
  surroundings.system = std::move(system_properties);
  surroundings.system.try_emplace("user.home", home_directory());
  surroundings.run = [](const std::vector<std::string>& command) { return run_external_command(command); };
  surroundings.now = std::chrono::system_clock::now();
  return surroundings;
}

}  // namespace

FilesAndUrls::FilesAndUrls(std::vector<Location> locations) : locations_(std::move(locations)) {
  for (Location& location : locations_) take_credentials(location);
}

Result<std::string> FilesAndUrls::read_path(const std::string& path) {
  if (const auto read = streams_.find(path); read != streams_.end()) return read->second;
  const auto info = real_file_system().info(path);
  if (!info.ok() || info->type != FileInfo::Type::other) return read_file(real_file_system(), path, kMaxBytes);
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) return Status(Code::io, fmt::format("open {}: {}", path, std::strerror(errno)));
  auto bytes = read_stream(descriptor, std::chrono::steady_clock::now() + kTimeout, kMaxBytes);
  ::close(descriptor);
  if (!bytes.ok()) return bytes.status().with_context(path + " ");
  return streams_[path] = std::move(bytes).value();
}

Result<std::string> FilesAndUrls::read(const Location& location) {
  const std::string scheme = scheme_of(location.name);
  if (is_url(location.name)) return http_get({location.name, location.user, location.password, kMaxBytes, kTimeout});
  if (scheme.empty()) return read_path(location.name);
  if (scheme != "file") {
    return Status(Code::invalid, fmt::format("{}: '{}' is no scheme that can be read: file, http and https are",
                                             location.name, scheme));
  }
  std::string path = location.name.substr(5);
  if (path.starts_with("//")) path.erase(0, 2);
  return read_path(path);
}

Result<std::vector<ConfigText>> FilesAndUrls::read() {
  std::vector<ConfigText> texts;
  for (const Location& location : locations_) {
    TRY_ASSIGN(std::string bytes, read(location));
    texts.push_back({location.name, std::move(bytes)});
  }
  return texts;
}

std::chrono::seconds FilesAndUrls::default_interval() const {
  for (const Location& location : locations_) {
    if (is_url(location.name)) return std::chrono::seconds(300);
  }
  return std::chrono::seconds(30);
}

Configuration load_for_process(std::span<const ConfigText> texts,
                               std::map<std::string, std::string, std::less<>> system_properties) {
  Configuration configuration =
      load_configuration(texts, Catalog(all_components()), process_surroundings(std::move(system_properties)));
  keep_secret(configuration.secret_values);
  return configuration;
}

}  // namespace standpipe
