#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "net/tls.h"

namespace standpipe {

/// What holds for every component that says nothing of its own: Flume's process-wide settings.
struct TlsDefaults {
  KeyStore keys;
  KeyStore trusted;
  TlsLimits limits;
};

/// From -Djavax.net.ssl.keyStore, keyStorePassword, trustStore, trustStorePassword, -Dflume.ssl.include.protocols,
/// exclude.protocols, include.cipherSuites, exclude.cipherSuites, and where one of them is not given from FLUME_SSL_….
/// `variable` is getenv().
TlsDefaults read_tls_defaults(const std::map<std::string, std::string, std::less<>>& properties,
                              const std::function<const char*(const char*)>& variable);
/// Whether a -D key is one of them; also the store types, which are seen in the files.
bool is_tls_default(std::string_view property);

/// The process's: set once, before the first component is made. Passwords are kept out of the log from then on.
void set_tls_defaults(TlsDefaults defaults);
const TlsDefaults& tls_defaults();

}  // namespace standpipe
