#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <set>

#include <fmt/format.h>

namespace standpipe {

namespace {

constexpr std::size_t kLargestStore = 4 << 20;

template <auto function>
struct FreeWith {
  template <typename T>
  void operator()(T* thing) const {
    function(thing);
  }
};
using Bio = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;

/// What a store held: a key with its certificate, if it has one, and other certificates.
struct Store {
  Key key;
  Certificate certificate;
  std::vector<Certificate> others;
};

Status bad(const KeyStore& store, std::string_view what) {
  return {Code::invalid, fmt::format("key store {}: {}", store.path, what)};
}

int give_password(char* buffer, int size, int, void* user) {
  const auto& password = *static_cast<const std::string*>(user);
  const auto length = std::min<std::size_t>(password.size(), static_cast<std::size_t>(std::max(size, 0)));
  password.copy(buffer, length);
  return static_cast<int>(length);
}

Result<Store> read_pkcs12(const KeyStore& store, Bio bytes) {
  const std::unique_ptr<PKCS12, FreeWith<PKCS12_free>> pkcs12(d2i_PKCS12_bio(bytes.get(), nullptr));
  if (pkcs12 == nullptr) return bad(store, "neither PEM nor PKCS12: " + tls_complaint());
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  STACK_OF(X509)* others = nullptr;
  if (PKCS12_parse(pkcs12.get(), store.password.c_str(), &key, &certificate, &others) != 1) {
    return bad(store, "it can't be opened with this password: " + tls_complaint());
  }
  Store read{Key(key), Certificate(certificate), {}};
  while (sk_X509_num(others) > 0) read.others.emplace_back(sk_X509_shift(others));
  sk_X509_free(others);
  return read;
}

Result<Store> read_pem(const KeyStore& store, std::string_view text) {
  const auto source = [text] { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); };
  auto* password = const_cast<std::string*>(&store.password);
  Store read;
  read.key = Key(PEM_read_bio_PrivateKey(source().get(), nullptr, give_password, password));
  if (read.key == nullptr && text.find("PRIVATE KEY") != std::string_view::npos) {
    return bad(store, "its key can't be read with this password: " + tls_complaint());
  }
  const Bio certificates = source();
  while (X509* next = PEM_read_bio_X509(certificates.get(), nullptr, give_password, password)) {
    read.others.emplace_back(next);
  }
  ERR_clear_error();  // the end of the file is one
  if (read.key != nullptr && !read.others.empty()) {
    read.certificate = std::move(read.others.front());
    read.others.erase(read.others.begin());
  }
  return read;
}

Result<Store> read_store(const KeyStore& store) {
  std::ifstream file(store.path, std::ios::binary);
  if (!file) return bad(store, "it can't be read");
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.size() > kLargestStore) return bad(store, "larger than any key store is");
  if (bytes.find("-----BEGIN") != std::string::npos) return read_pem(store, bytes);
  if (bytes.starts_with("\xfe\xed\xfe\xed") || bytes.starts_with("\xce\xce\xce\xce")) {
    return bad(store, fmt::format("a JKS or JCEKS store, which is not read yet; make a PKCS12 one of it: keytool "
                                  "-importkeystore -srckeystore {} -destkeystore {}.p12 -deststoretype PKCS12",
                                  store.path, store.path));
  }
  return read_pkcs12(store, Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size()))));
}

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
  if (left == 0) return {Code::invalid, "include-protocols and exclude-protocols leave no version of TLS"};
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
  SSL_CTX_set_mode(inner->context.get(), SSL_MODE_RELEASE_BUFFERS);  // an idle connection keeps none
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

Result<std::shared_ptr<const TlsContext>> TlsContext::server(const KeyStore& keys, const TlsLimits& limits) {
  TRY_ASSIGN(auto inner, make(TLS_server_method(), limits));
  TRY_ASSIGN(Store store, read_store(keys));
  if (store.key == nullptr || store.certificate == nullptr) return bad(keys, "it holds no key with its certificate");
  SSL_CTX* context = inner->context.get();
  bool used = SSL_CTX_use_certificate(context, store.certificate.get()) == 1 &&
              SSL_CTX_use_PrivateKey(context, store.key.get()) == 1 && SSL_CTX_check_private_key(context) == 1;
  for (const Certificate& other : store.others) used = used && SSL_CTX_add1_chain_cert(context, other.get()) == 1;
  if (!used) return bad(keys, tls_complaint());
  return std::make_shared<const TlsContext>(std::move(inner));
}

Result<std::shared_ptr<const TlsContext>> TlsContext::client(const KeyStore& trusted, bool trust_all,
                                                             const TlsLimits& limits) {
  TRY_ASSIGN(auto inner, make(TLS_client_method(), limits));
  SSL_CTX* context = inner->context.get();
  if (trust_all) return std::make_shared<const TlsContext>(std::move(inner));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (trusted.path.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return std::make_shared<const TlsContext>(std::move(inner));
  }
  TRY_ASSIGN(Store store, read_store(trusted));
  if (store.certificate != nullptr) store.others.push_back(std::move(store.certificate));
  if (store.others.empty()) return bad(trusted, "it holds no certificate to trust");
  for (const Certificate& each : store.others) X509_STORE_add_cert(SSL_CTX_get_cert_store(context), each.get());
  // A store may name a server's own certificate and not who signed it.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  return std::make_shared<const TlsContext>(std::move(inner));
}

}  // namespace standpipe
