#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "net/key_store.h"

namespace standpipe {

namespace {

// -- limits -----------------------------------------------------------------------------------------------------------

struct Version {
  std::string_view name;
  std::uint64_t without;
};
constexpr std::array<Version, 4> kVersions{{{"TLSv1", SSL_OP_NO_TLSv1},
                                            {"TLSv1.1", SSL_OP_NO_TLSv1_1},
                                            {"TLSv1.2", SSL_OP_NO_TLSv1_2},
                                            {"TLSv1.3", SSL_OP_NO_TLSv1_3}}};

bool lists(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Status limit_versions(SSL_CTX* context, const TlsLimits& limits) {
  std::uint64_t without = SSL_OP_NO_SSLv3;
  std::size_t left = 0;
  for (const Version& version : kVersions) {
    const bool wanted = (limits.include_protocols.empty() || lists(limits.include_protocols, version.name)) &&
                        !lists(limits.exclude_protocols, version.name);
    if (wanted) ++left;
    if (!wanted) without |= version.without;
  }
  if (left == 0) {
    return {Code::invalid,
            "include-protocols and exclude-protocols leave no version of TLS: there are TLSv1, TLSv1.1, TLSv1.2 and "
            "TLSv1.3"};
  }
  SSL_CTX_set_options(context, without);
  return {};
}

Status limit_ciphers(SSL_CTX* context, const TlsLimits& limits) {
  if (limits.include_ciphers.empty() && limits.exclude_ciphers.empty()) return {};
  std::string older;
  std::string newer;  // of TLS 1.3
  STACK_OF(SSL_CIPHER)* known = SSL_CTX_get_ciphers(context);
  for (int i = 0; i < sk_SSL_CIPHER_num(known); ++i) {
    const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(known, i);
    const std::string_view name = SSL_CIPHER_standard_name(cipher);
    const bool wanted =
        (limits.include_ciphers.empty() || lists(limits.include_ciphers, name)) && !lists(limits.exclude_ciphers, name);
    if (!wanted) continue;
    std::string& list = SSL_CIPHER_get_version(cipher) == std::string_view("TLSv1.3") ? newer : older;
    list += (list.empty() ? "" : ":") + std::string(SSL_CIPHER_get_name(cipher));
  }
  if (older.empty() && newer.empty()) {
    return {Code::invalid, "include-cipher-suites and exclude-cipher-suites leave no suite that OpenSSL has"};
  }
  if (older.empty()) SSL_CTX_set_options(context, SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_TLSv1_2);
  if (newer.empty()) SSL_CTX_set_options(context, SSL_OP_NO_TLSv1_3);
  const bool set = (older.empty() || SSL_CTX_set_cipher_list(context, older.c_str()) == 1) &&
                   (newer.empty() || SSL_CTX_set_ciphersuites(context, newer.c_str()) == 1);
  return set ? Status() : Status(Code::invalid, "cipher suites: " + tls_complaint());
}

Result<std::unique_ptr<TlsContext::Inner>> make(const SSL_METHOD* method, const TlsLimits& limits) {
  auto inner = std::make_unique<TlsContext::Inner>();
  inner->context.reset(SSL_CTX_new(method));
  if (inner->context == nullptr) return Status(Code::io, "OpenSSL: " + tls_complaint());
  SSL_CTX* context = inner->context.get();
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);  // an idle connection keeps none
  SSL_CTX_set_read_ahead(context, 1);                   // a record with one call, not two
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  // Who comes back may bring a ticket; what was agreed upon with those who don't come back is not kept.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  TRY(limit_versions(inner->context.get(), limits));
  TRY(limit_ciphers(inner->context.get(), limits));
  return inner;
}

}  // namespace

void TlsContext::Inner::Free::operator()(ssl_ctx_st* freed) const { SSL_CTX_free(freed); }

TlsContext::TlsContext(std::unique_ptr<Inner> inner) : inner_(std::move(inner)) {}
TlsContext::~TlsContext() = default;

std::string tls_complaint() {
  const unsigned long first = ERR_peek_error();
  ERR_clear_error();
  const char* reason = first == 0 ? nullptr : ERR_reason_error_string(first);
  return reason == nullptr ? "no reason given" : reason;
}

namespace {

Status use_keys(SSL_CTX* context, const KeyStore& store) {
  TRY_ASSIGN(const OwnKeys own, read_keys(store));
  bool used = SSL_CTX_use_certificate(context, own.certificate.get()) == 1 &&
              SSL_CTX_use_PrivateKey(context, own.key.get()) == 1 && SSL_CTX_check_private_key(context) == 1;
  for (const Certificate& other : own.chain) used = used && SSL_CTX_add1_chain_cert(context, other.get()) == 1;
  return used ? Status() : Status(Code::invalid, fmt::format("key store {}: {}", store.path, tls_complaint()));
}

Status use_trusted(SSL_CTX* context, const KeyStore& store) {
  TRY_ASSIGN(const std::vector<Certificate> trusted, read_trusted(store));
  for (const Certificate& each : trusted) X509_STORE_add_cert(SSL_CTX_get_cert_store(context), each.get());
  // A store may name a peer's own certificate and not who signed it.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  ERR_clear_error();  // one that is there twice
  return {};
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::server(const TlsServerOptions& options) {
  TRY_ASSIGN(auto inner, make(TLS_server_method(), options.limits));
  SSL_CTX* context = inner->context.get();
  TRY(use_keys(context, options.keys));
  constexpr unsigned char kSessions[] = "standpipe";  // tickets of one server are good for no other
  SSL_CTX_set_session_id_context(context, kSessions, sizeof kSessions - 1);
  if (options.clients) {
    TRY(use_trusted(context, *options.clients));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return std::make_shared<const TlsContext>(std::move(inner));
}

Result<std::shared_ptr<const TlsContext>> TlsContext::client(const TlsClientOptions& options) {
  TRY_ASSIGN(auto inner, make(TLS_client_method(), options.limits));
  SSL_CTX* context = inner->context.get();
  if (!options.keys.path.empty()) TRY(use_keys(context, options.keys));
  inner->checks_name = options.check_name && !options.trust_all;
  if (options.trust_all) return std::make_shared<const TlsContext>(std::move(inner));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (options.trusted.path.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else {
    TRY(use_trusted(context, options.trusted));
  }
  return std::make_shared<const TlsContext>(std::move(inner));
}

}  // namespace standpipe
