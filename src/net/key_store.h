#pragma once

#include <memory>
#include <vector>

#include "net/tls.h"

// OpenSSL's names, so that its headers stay out of ours.
struct x509_st;
struct evp_pkey_st;

namespace standpipe {

struct FreeCertificate {
  void operator()(x509_st* certificate) const;
};
struct FreeKey {
  void operator()(evp_pkey_st* key) const;
};
using Certificate = std::unique_ptr<x509_st, FreeCertificate>;
using Key = std::unique_ptr<evp_pkey_st, FreeKey>;

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
