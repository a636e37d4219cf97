#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <vector>

#include "net/tls.h"

namespace standpipe {

/// For the .cc files of this folder: OpenSSL stays out of other headers.
template <auto function>
struct FreeWith {
  template <typename T>
  void operator()(T* thing) const {
    function(thing);
  }
};
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;

/// A key, its certificate and those that lead from it to one that others know.
struct OwnKeys {
  Key key;
  Certificate certificate;
  std::vector<Certificate> chain;
};

/// The key of a store: of several the first. Code::invalid names the file and the way out.
Result<OwnKeys> read_keys(const KeyStore& store);
/// The certificates of a store: what whoever has it trusts. At least one.
Result<std::vector<Certificate>> read_trusted(const KeyStore& store);

}  // namespace standpipe
