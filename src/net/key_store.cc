#include "net/key_store.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fmt/format.h>

#include "net/jks.h"
#include "net/tls_context.h"

namespace standpipe {

namespace {

constexpr std::size_t kLargestStore = 4 << 20;

using Bio = std::unique_ptr<BIO, decltype(&BIO_free_all)>;
using Pkcs12 = std::unique_ptr<PKCS12, decltype(&PKCS12_free)>;

/// What a file held. With a key the first certificate is its own.
struct Content {
  Key key;
  std::vector<Certificate> certificates;
  std::vector<Certificate> trusted;  // beside the key's
};

Status bad(const KeyStore& store, std::string_view what) {
  return {Code::invalid, fmt::format("key store {}: {}", store.path, what)};
}

Status locked(const KeyStore& store, std::string_view what) {
  const std::string complaint = tls_complaint();
  if (store.password.empty()) {
    return bad(store, fmt::format("{} can't be opened without a password: set the one that belongs to it", what));
  }
  return bad(store, fmt::format("{} can't be opened with this password: {}", what, complaint));
}

int give_password(char* buffer, int size, int, void* user) {
  const auto& password = *static_cast<const std::string*>(user);
  const auto length = std::min<std::size_t>(password.size(), static_cast<std::size_t>(std::max(size, 0)));
  password.copy(buffer, length);
  return static_cast<int>(length);
}

Bio memory_bio(std::string_view bytes) {
  return {BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())), &BIO_free_all};
}

// -- PKCS12 -----------------------------------------------------------------------------------------------------------

bool open_pkcs12(PKCS12* pkcs12, const std::string& password, Content& content) {
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  STACK_OF(X509)* others = nullptr;
  if (PKCS12_parse(pkcs12, password.c_str(), &key, &certificate, &others) != 1) return false;
  content.key.reset(key);
  if (certificate != nullptr) content.certificates.emplace_back(certificate);
  while (sk_X509_num(others) > 0) content.certificates.emplace_back(sk_X509_shift(others));
  sk_X509_free(others);
  return true;
}

/// Java before 2021 encrypted certificates by RC2, which OpenSSL knows only when asked for its old algorithms.
bool load_old_algorithms() {
  static const bool loaded = OSSL_PROVIDER_try_load(nullptr, "legacy", 1) != nullptr;
  return loaded;
}

Result<Content> read_pkcs12(const KeyStore& store, std::string_view bytes) {
  const Pkcs12 pkcs12(d2i_PKCS12_bio(memory_bio(bytes).get(), nullptr), &PKCS12_free);
  if (pkcs12 == nullptr) return bad(store, "neither PEM nor PKCS12 nor JKS");
  Content content;
  if (open_pkcs12(pkcs12.get(), store.password, content)) return content;
  const bool unsupported = ERR_GET_REASON(ERR_peek_error()) == ERR_R_UNSUPPORTED;
  if (unsupported && load_old_algorithms() && open_pkcs12(pkcs12.get(), store.password, content)) {
    ERR_clear_error();
    return content;
  }
  return locked(store, "it");
}

// -- PEM --------------------------------------------------------------------------------------------------------------

Result<Content> read_pem(const KeyStore& store, std::string_view text) {
  auto* password = const_cast<std::string*>(&store.password);
  Content content;
  content.key = Key(PEM_read_bio_PrivateKey(memory_bio(text).get(), nullptr, give_password, password));
  if (content.key == nullptr && text.find("PRIVATE KEY") != std::string_view::npos) {
    return locked(store, "its key");
  }
  const Bio certificates = memory_bio(text);
  while (X509* next = PEM_read_bio_X509(certificates.get(), nullptr, give_password, password)) {
    content.certificates.emplace_back(next);
  }
  ERR_clear_error();  // the end of the file is one
  return content;
}

// -- JKS --------------------------------------------------------------------------------------------------------------

Result<Certificate> parse_certificate(const KeyStore& store, std::string_view der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  Certificate certificate(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
  if (certificate == nullptr) return bad(store, "a certificate that can't be read: " + tls_complaint());
  return certificate;
}

Status read_jks_key(const KeyStore& store, const JksKey& entry, Content& content) {
  if (store.password.empty()) return locked(store, "its key");
  const auto clear = unlock_jks_key(entry.locked, store.password);
  if (!clear.ok()) return bad(store, clear.status().message());
  const auto* bytes = reinterpret_cast<const unsigned char*>(clear->data());
  content.key = Key(d2i_AutoPrivateKey(nullptr, &bytes, static_cast<long>(clear->size())));
  if (content.key == nullptr) return bad(store, "its key can't be read: " + tls_complaint());
  for (const std::string_view der : entry.chain) {
    TRY_ASSIGN(Certificate certificate, parse_certificate(store, der));
    content.certificates.push_back(std::move(certificate));
  }
  return {};
}

Result<Content> read_jks_store(const KeyStore& store, std::string_view bytes, bool wants_key) {
  const auto read = read_jks(bytes, store.password);
  if (!read.ok()) return bad(store, read.status().message());
  Content content;
  if (wants_key) {
    if (!read->keys.empty()) TRY(read_jks_key(store, read->keys.front(), content));
    return content;
  }
  std::vector<std::string_view> trusted = read->trusted;
  for (const JksKey& key : read->keys) {
    if (!key.chain.empty()) trusted.push_back(key.chain.front());
  }
  for (const std::string_view der : trusted) {
    TRY_ASSIGN(Certificate certificate, parse_certificate(store, der));
    content.trusted.push_back(std::move(certificate));
  }
  return content;
}

Result<Content> read_store(const KeyStore& store, bool wants_key) {
  errno = 0;
  std::ifstream file(store.path, std::ios::binary);
  std::string bytes(kLargestStore + 1, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (!file.eof() && bytes.size() <= kLargestStore) {
    return bad(store, "it can't be read: " + std::generic_category().message(errno));
  }
  if (bytes.empty()) return bad(store, "it is empty");
  if (bytes.size() > kLargestStore) return bad(store, "larger than any key store is");
  ERR_clear_error();
  if (bytes.find("-----BEGIN") != std::string::npos) return read_pem(store, bytes);
  if (is_jks(bytes)) return read_jks_store(store, bytes, wants_key);
  if (is_jceks(bytes)) {
    return bad(store, fmt::format("a JCEKS store, which is not read here; make a PKCS12 one of it: keytool "
                                  "-importkeystore -srcstoretype JCEKS -srckeystore {} -destkeystore {}.p12 "
                                  "-deststoretype PKCS12",
                                  store.path, store.path));
  }
  return read_pkcs12(store, bytes);
}

}  // namespace

void FreeCertificate::operator()(x509_st* certificate) const { X509_free(certificate); }
void FreeKey::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

Result<OwnKeys> read_keys(const KeyStore& store) {
  TRY_ASSIGN(Content content, read_store(store, true));
  if (content.key == nullptr || content.certificates.empty()) return bad(store, "it holds no key with its certificate");
  OwnKeys keys{std::move(content.key), std::move(content.certificates.front()), {}};
  keys.chain.assign(std::make_move_iterator(content.certificates.begin() + 1),
                    std::make_move_iterator(content.certificates.end()));
  return keys;
}

Result<std::vector<Certificate>> read_trusted(const KeyStore& store) {
  TRY_ASSIGN(Content content, read_store(store, false));
  std::vector<Certificate> all = std::move(content.trusted);
  for (Certificate& each : content.certificates) all.push_back(std::move(each));
  if (all.empty()) return bad(store, "it holds no certificate to trust");
  return all;
}

}  // namespace standpipe
