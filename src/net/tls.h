#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/network.h"
#include "standpipe/status.h"

namespace standpipe {

/// Certificates and keys in a file: PEM, PKCS12 or JKS; which of them it is, is seen in the file. One password opens
/// the store and its key.
struct KeyStore {
  std::string path;
  std::string password;
};

/// Which versions and cipher suites may be used, by their names in Java ("TLSv1.2",
/// "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"). What is excluded wins; empty lists leave it to OpenSSL.
struct TlsLimits {
  std::vector<std::string> include_protocols = {};
  std::vector<std::string> exclude_protocols = {};
  std::vector<std::string> include_ciphers = {};
  std::vector<std::string> exclude_ciphers = {};
};

struct TlsServerOptions {
  KeyStore keys;  ///< the server's key and certificate
  /// Clients must show a certificate that these vouch for; none: they need not show any.
  std::optional<KeyStore> clients = std::nullopt;
  TlsLimits limits = {};
};

struct TlsClientOptions {
  /// The server's chain is verified against these; path empty: against the system's certificates.
  KeyStore trusted = {};
  bool trust_all = false;   ///< not verified at all
  bool check_name = false;  ///< and its certificate must be for the host that was asked for
  KeyStore keys = {};       ///< what a server gets to see that asks for a certificate; path empty: nothing
  TlsLimits limits = {};
};

/// What connections of one source or sink share: keys, trusted certificates, limits. Immutable; thread-safe.
class TlsContext {
 public:
  /// Code::invalid names the file or the option at fault and the way out.
  static Result<std::shared_ptr<const TlsContext>> server(const TlsServerOptions& options);
  static Result<std::shared_ptr<const TlsContext>> client(const TlsClientOptions& options);

  struct Inner;
  explicit TlsContext(std::unique_ptr<Inner> inner);
  ~TlsContext();
  const Inner& inner() const { return *inner_; }

 private:
  const std::unique_ptr<Inner> inner_;
};

/// `below` with TLS over it. What is written before the two have agreed is sent then. A peer that speaks no TLS, and
/// one that can't be trusted, make read() fail with Code::corrupt.
std::unique_ptr<Connection> tls_server(std::unique_ptr<Connection> below, std::shared_ptr<const TlsContext> context,
                                       Network& network);
/// `host`: what was connected to, name or address.
std::unique_ptr<Connection> tls_client(std::unique_ptr<Connection> below, std::shared_ptr<const TlsContext> context,
                                       Network& network, const std::string& host);

}  // namespace standpipe
