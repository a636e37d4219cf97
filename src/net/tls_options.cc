#include "net/tls_options.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "net/tls_defaults.h"

namespace standpipe::tls_options {

namespace {

/// Its words, also where somebody has put commas between them: a version that is to be refused must not pass for it.
std::vector<std::string> list(const Settings& settings, std::string_view key,
                              const std::vector<std::string>& fallback) {
  if (!settings.has(key)) return fallback;
  std::vector<std::string> words;
  for (const std::string& item : settings.list(key)) {
    for (const std::string_view word : split(item, ',')) {
      if (!word.empty()) words.emplace_back(word);
    }
  }
  return words;
}

void warn_of_what_is_not_verified(bool trust_all, bool check_name, Log& log) {
  if (trust_all) {
    return log.warn(
        fmt::format("trust-all-certs = true: any server may pass for the one that is meant{}; put its "
                    "certificate, or who signed it, into truststore instead",
                    check_name ? ", and verify-hostname has no effect" : ""));
  }
  if (check_name) return;
  log.warn(
      "ssl: any server with a certificate that is trusted may pass for the one that is meant: verify-hostname = "
      "true looks at the name in it");
}

TlsLimits limits(const Settings& settings) {
  const TlsLimits& all = tls_defaults().limits;
  return {.include_protocols = list(settings, "include-protocols", all.include_protocols),
          .exclude_protocols = list(settings, "exclude-protocols", all.exclude_protocols),
          .include_ciphers = list(settings, "include-cipher-suites", all.include_ciphers),
          .exclude_ciphers = list(settings, "exclude-cipher-suites", all.exclude_ciphers)};
}

/// Path and password each for itself, as in Flume.
KeyStore store(const Settings& settings, const std::string& key, const KeyStore& fallback) {
  const std::string password = key + "-password";
  return {settings.has(key) ? settings.text(key) : fallback.path,
          settings.has(password) ? settings.text(password) : fallback.password};
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> server(const Settings& settings) {
  if (!settings.boolean("ssl")) return std::shared_ptr<const TlsContext>();
  TlsServerOptions options{.keys = store(settings, "keystore", tls_defaults().keys), .limits = limits(settings)};
  if (options.keys.path.empty()) {
    return Status(Code::invalid,
                  "ssl = true needs a keystore, here or as -Djavax.net.ssl.keyStore: JKS, PKCS12 or PEM");
  }
  if (settings.boolean("need-client-auth")) {
    options.clients = store(settings, "truststore", tls_defaults().trusted);
    if (options.clients->path.empty()) {
      return Status(Code::invalid, "need-client-auth = true needs a truststore, here or as -Djavax.net.ssl.trustStore");
    }
  }
  return TlsContext::server(options);
}

Result<std::shared_ptr<const TlsContext>> client(const Settings& settings, Log& log) {
  if (!settings.boolean("ssl")) return std::shared_ptr<const TlsContext>();
  const bool trust_all =
      find_option(settings.info(), "trust-all-certs") != nullptr && settings.boolean("trust-all-certs");
  warn_of_what_is_not_verified(trust_all, settings.boolean("verify-hostname"), log);
  return TlsContext::client({.trusted = store(settings, "truststore", tls_defaults().trusted),
                             .trust_all = trust_all,
                             .check_name = settings.boolean("verify-hostname"),
                             .keys = store(settings, "keystore", {}),
                             .limits = limits(settings)});
}

}  // namespace standpipe::tls_options
