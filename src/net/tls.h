#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "net/network.h"
#include "standpipe/status.h"

namespace standpipe {

/// Certificates and keys from a file: PEM, or PKCS12 with a password. Which of the two it is, is seen in the file.
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

/// What connections of one source or sink share: keys, trusted certificates, limits. Immutable; thread-safe.
class TlsContext {
 public:
  /// Code::invalid names the file or the option at fault and the way out.
  static Result<std::shared_ptr<const TlsContext>> server(const KeyStore& keys, const TlsLimits& limits);
  /// The server's chain is verified against `trusted`, or against the system's certificates where its path is empty;
  /// not at all with `trust_all`.
  static Result<std::shared_ptr<const TlsContext>> client(const KeyStore& trusted, bool trust_all,
                                                          const TlsLimits& limits);

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
/// The name in the server's certificate is not compared with anything, as in Flume.
std::unique_ptr<Connection> tls_client(std::unique_ptr<Connection> below, std::shared_ptr<const TlsContext> context,
                                       Network& network);

}  // namespace standpipe
