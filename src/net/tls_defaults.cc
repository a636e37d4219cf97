#include "net/tls_defaults.h"

#include <array>

#include "base/secrets.h"
#include "base/text.h"

namespace standpipe {

namespace {

struct Setting {
  std::string_view property;
  const char* variable;
};
constexpr Setting kKeyStore{"javax.net.ssl.keyStore", "FLUME_SSL_KEYSTORE_PATH"};
constexpr Setting kKeyStorePassword{"javax.net.ssl.keyStorePassword", "FLUME_SSL_KEYSTORE_PASSWORD"};
constexpr Setting kKeyStoreType{"javax.net.ssl.keyStoreType", "FLUME_SSL_KEYSTORE_TYPE"};
constexpr Setting kTrustStore{"javax.net.ssl.trustStore", "FLUME_SSL_TRUSTSTORE_PATH"};
constexpr Setting kTrustStorePassword{"javax.net.ssl.trustStorePassword", "FLUME_SSL_TRUSTSTORE_PASSWORD"};
constexpr Setting kTrustStoreType{"javax.net.ssl.trustStoreType", "FLUME_SSL_TRUSTSTORE_TYPE"};
constexpr Setting kIncludeProtocols{"flume.ssl.include.protocols", "FLUME_SSL_INCLUDE_PROTOCOLS"};
constexpr Setting kExcludeProtocols{"flume.ssl.exclude.protocols", "FLUME_SSL_EXCLUDE_PROTOCOLS"};
constexpr Setting kIncludeCiphers{"flume.ssl.include.cipherSuites", "FLUME_SSL_INCLUDE_CIPHERSUITES"};
constexpr Setting kExcludeCiphers{"flume.ssl.exclude.cipherSuites", "FLUME_SSL_EXCLUDE_CIPHERSUITES"};

constexpr std::array kAll{kKeyStore,       kKeyStorePassword, kKeyStoreType,     kTrustStore,     kTrustStorePassword,
                          kTrustStoreType, kIncludeProtocols, kExcludeProtocols, kIncludeCiphers, kExcludeCiphers};

TlsDefaults& process_defaults() {
  static TlsDefaults defaults;
  return defaults;
}

}  // namespace

TlsDefaults read_tls_defaults(const std::map<std::string, std::string, std::less<>>& properties,
                              const std::function<const char*(const char*)>& variable) {
  const auto text = [&](const Setting& setting) -> std::string {
    if (const auto found = properties.find(setting.property); found != properties.end()) return found->second;
    const char* value = variable(setting.variable);
    return value == nullptr ? "" : value;
  };
  const auto list = [&](const Setting& setting) {  // commas here, blanks in a component's list
    std::vector<std::string> words;
    const std::string all = text(setting);
    for (const std::string_view part : split(all, ',')) {
      if (!trim(part).empty()) words.emplace_back(trim(part));
    }
    return words;
  };
  return {.keys = {text(kKeyStore), text(kKeyStorePassword)},
          .trusted = {text(kTrustStore), text(kTrustStorePassword)},
          .limits = {.include_protocols = list(kIncludeProtocols),
                     .exclude_protocols = list(kExcludeProtocols),
                     .include_ciphers = list(kIncludeCiphers),
                     .exclude_ciphers = list(kExcludeCiphers)}};
}

bool is_tls_default(std::string_view property) {
  for (const Setting& setting : kAll) {
    if (setting.property == property) return true;
  }
  return false;
}

void set_tls_defaults(TlsDefaults defaults) {
  keep_secret({defaults.keys.password, defaults.trusted.password});
  process_defaults() = std::move(defaults);
}

const TlsDefaults& tls_defaults() { return process_defaults(); }

}  // namespace standpipe
