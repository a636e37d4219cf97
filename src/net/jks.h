#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "standpipe/status.h"

namespace standpipe {

/// A key with its certificates, its own first. Views lie in the bytes that were read.
struct JksKey {
  std::string_view alias;
  std::string_view locked;              ///< for unlock_jks_key()
  std::vector<std::string_view> chain;  ///< X.509, DER
};

struct JksStore {
  std::vector<JksKey> keys;
  std::vector<std::string_view> trusted;  ///< X.509, DER
};

/// Whether the bytes begin as a JKS store does, and as a JCEKS store does, which is another thing.
bool is_jks(std::string_view bytes);
bool is_jceks(std::string_view bytes);

/// Java's own key store format, versions 1 and 2. The digest at its end proves password and bytes; it is not looked at
/// where the password is empty, as Java does for a store of certificates. Code::corrupt, Code::invalid: the password.
Result<JksStore> read_jks(std::string_view bytes, std::string_view password);

/// The key as PKCS#8, DER. Code::invalid: it has another password, or is locked in a way that JKS stores don't know.
Result<std::string> unlock_jks_key(std::string_view locked, std::string_view password);

}  // namespace standpipe
