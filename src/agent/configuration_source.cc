#include "agent/configuration_source.h"

#include <cstdlib>
#include <memory>

#include <curl/curl.h>
#include <fmt/format.h>

#include "agent/external_command.h"
#include "base/text.h"
#include "io/file_system.h"

namespace standpipe {

namespace {

constexpr std::size_t kMaxBytes = 16u << 20;
constexpr long kTimeoutSeconds = 60;

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

std::size_t append_body(char* data, std::size_t size, std::size_t count, void* target) {
  auto& body = *static_cast<std::string*>(target);
  if (body.size() + size * count > kMaxBytes) return 0;  // makes curl give up with a write error
  body.append(data, size * count);
  return size * count;
}

Result<std::string> get_url(const ConfigurationSource::Location& location) {
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  if (curl == nullptr) return Status(Code::unavailable, "the HTTP library could not be started");
  std::string body;
  curl_easy_setopt(curl.get(), CURLOPT_URL, location.name.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append_body);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, kTimeoutSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  if (!location.user.empty()) {
    curl_easy_setopt(curl.get(), CURLOPT_USERNAME, location.user.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_PASSWORD, location.password.c_str());
  }
  const CURLcode result = curl_easy_perform(curl.get());
  if (result != CURLE_OK) {
    return Status(Code::unavailable, fmt::format("{}: {}", location.name, curl_easy_strerror(result)));
  }
  long answer = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer);
  if (answer != 200) return Status(Code::unavailable, fmt::format("{}: the server answered {}", location.name, answer));
  return body;
}

Result<std::string> read_location(const ConfigurationSource::Location& location) {
  const std::string scheme = scheme_of(location.name);
  if (is_url(location.name)) return get_url(location);
  if (scheme.empty()) return read_file(real_file_system(), location.name, kMaxBytes);
  if (scheme != "file") {
    return Status(Code::invalid, fmt::format("{}: '{}' is no scheme that can be read: file, http and https are",
                                             location.name, scheme));
  }
  std::string path = location.name.substr(5);
  if (path.starts_with("//")) path.erase(0, 2);
  return read_file(real_file_system(), path, kMaxBytes);
}

}  // namespace

Result<std::vector<ConfigText>> ConfigurationSource::read() const {
  std::vector<ConfigText> texts;
  for (const Location& location : locations_) {
    TRY_ASSIGN(std::string bytes, read_location(location));
    texts.push_back({location.name, std::move(bytes)});
  }
  return texts;
}

std::chrono::seconds ConfigurationSource::default_interval() const {
  for (const Location& location : locations_) {
    if (is_url(location.name)) return std::chrono::seconds(300);
  }
  return std::chrono::seconds(30);
}

Surroundings process_surroundings(std::map<std::string, std::string, std::less<>> system_properties) {
  Surroundings surroundings;
  surroundings.environment = [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
  surroundings.system = std::move(system_properties);
  surroundings.run = [](const std::vector<std::string>& command) { return run_external_command(command); };
  surroundings.now = std::chrono::system_clock::now();
  return surroundings;
}

}  // namespace standpipe
