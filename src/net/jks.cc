#include "net/jks.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>

namespace standpipe {

namespace {

constexpr std::string_view kMagic = "\xfe\xed\xfe\xed";
constexpr std::string_view kOtherMagic = "\xce\xce\xce\xce";
constexpr std::string_view kPepper = "Mighty Aphrodite";            // of the digest, by the format
constexpr std::string_view kProtector = "1.3.6.1.4.1.42.2.17.1.1";  // the one way in which JKS locks keys
constexpr std::size_t kDigest = 20;
constexpr std::size_t kHead = 12;

using Digest = std::array<unsigned char, kDigest>;

std::string_view view(const Digest& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

/// SHA-1 of the parts in a row.
Digest sha1(std::initializer_list<std::string_view> parts) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  Digest digest{};
  EVP_DigestInit_ex(context.get(), EVP_sha1(), nullptr);
  for (const std::string_view part : parts) EVP_DigestUpdate(context.get(), part.data(), part.size());
  EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
  return digest;
}

/// The password as Java has it: two bytes a character, the higher one first.
std::string wide(std::string_view password) {
  std::string bytes;
  const auto put = [&bytes](std::uint32_t unit) {
    bytes += static_cast<char>(unit >> 8);
    bytes += static_cast<char>(unit);
  };
  for (std::size_t i = 0; i < password.size();) {
    const auto first = static_cast<unsigned char>(password[i]);
    const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    std::uint32_t point = length == 1 ? first : first & (0x7fu >> length);
    for (std::size_t k = 1; k < length && i + k < password.size(); ++k) {
      point = point << 6 | (static_cast<unsigned char>(password[i + k]) & 0x3fu);
    }
    i += length;
    if (point >= 0x10000) put(0xd800 + ((point - 0x10000) >> 10 & 0x3ff));
    put(point < 0x10000 ? point : 0xdc00 + (point & 0x3ff));
  }
  return bytes;
}

/// Takes parts off the front; `good` says whether they were all there.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  std::string_view take(std::uint64_t size) {
    good_ = good_ && size <= left_.size();
    if (!good_) return {};
    const std::string_view part = left_.substr(0, size);
    left_.remove_prefix(size);
    return part;
  }
  std::uint32_t number(std::size_t bytes) {
    std::uint32_t value = 0;
    for (const char byte : take(bytes)) value = value << 8 | static_cast<unsigned char>(byte);
    return value;
  }
  std::string_view text() { return take(number(2)); }
  std::string_view blob() { return take(number(4)); }

  bool good() const { return good_; }
  bool at_end() const { return left_.empty(); }

 private:
  std::string_view left_;
  bool good_ = true;
};

Status damaged(std::string_view what) { return {Code::corrupt, "a damaged JKS store: " + std::string(what)}; }

Result<std::string_view> read_certificate(Reader& reader, std::uint32_t version) {
  const std::string_view type = version == 1 ? "X.509" : reader.text();
  const std::string_view bytes = reader.blob();
  if (!reader.good()) return damaged("it ends inside a certificate");
  if (type != "X.509") return damaged("a certificate that is not X.509");
  return bytes;
}

Result<JksKey> read_key(Reader& reader, std::string_view alias, std::uint32_t version) {
  JksKey key{alias, reader.blob(), {}};
  const std::uint32_t certificates = reader.number(4);
  if (!reader.good()) return damaged("it ends inside a key");
  for (std::uint32_t i = 0; i < certificates; ++i) {
    TRY_ASSIGN(const std::string_view certificate, read_certificate(reader, version));
    key.chain.push_back(certificate);
  }
  return key;
}

Status read_entry(Reader& reader, std::uint32_t version, JksStore& store) {
  constexpr std::uint32_t kKey = 1;
  constexpr std::uint32_t kTrusted = 2;
  const std::uint32_t kind = reader.number(4);
  const std::string_view alias = reader.text();
  reader.take(8);  // when it was made
  if (!reader.good()) return damaged("it ends inside an entry");
  if (kind == kKey) {
    TRY_ASSIGN(JksKey key, read_key(reader, alias, version));
    store.keys.push_back(std::move(key));
    return {};
  }
  if (kind != kTrusted) return damaged("an entry of an unknown kind");
  TRY_ASSIGN(const std::string_view certificate, read_certificate(reader, version));
  store.trusted.push_back(certificate);
  return {};
}

}  // namespace

bool is_jks(std::string_view bytes) { return bytes.starts_with(kMagic); }
bool is_jceks(std::string_view bytes) { return bytes.starts_with(kOtherMagic); }

Result<JksStore> read_jks(std::string_view bytes, std::string_view password) {
  if (!is_jks(bytes) || bytes.size() < kHead + kDigest) return damaged("it is too short");
  const std::string_view content = bytes.substr(0, bytes.size() - kDigest);
  if (!password.empty() && view(sha1({wide(password), kPepper, content})) != bytes.substr(content.size())) {
    return Status(Code::invalid, "it can't be opened with this password, or it is damaged");
  }
  Reader reader(content.substr(kMagic.size()));
  const std::uint32_t version = reader.number(4);
  if (version != 1 && version != 2) return damaged("of a version that nobody knows");
  JksStore store;
  for (std::uint32_t left = reader.number(4); left > 0; --left) TRY(read_entry(reader, version, store));
  if (!reader.at_end()) return damaged("there are bytes behind its last entry");
  return store;
}

Result<std::string> unlock_jks_key(std::string_view locked, std::string_view password) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(locked.data());
  const std::unique_ptr<X509_SIG, decltype(&X509_SIG_free)> parts(
      d2i_X509_SIG(nullptr, &bytes, static_cast<long>(locked.size())), &X509_SIG_free);
  ERR_clear_error();
  if (parts == nullptr) return damaged("a key that is none");
  const X509_ALGOR* how = nullptr;
  const ASN1_OCTET_STRING* what = nullptr;
  X509_SIG_get0(parts.get(), &how, &what);
  char name[80] = "";
  OBJ_obj2txt(name, sizeof name, how->algorithm, 1);
  if (name != kProtector) {
    return Status(Code::invalid, "its key is locked in a way that JKS stores don't know: " + std::string(name));
  }
  const std::string_view sealed(reinterpret_cast<const char*>(ASN1_STRING_get0_data(what)),
                                static_cast<std::size_t>(ASN1_STRING_length(what)));
  if (sealed.size() < 2 * kDigest) return damaged("a key that is too short");
  // Salt, key, digest. What hides the key is a chain of digests that begins with the salt.
  const std::string secret = wide(password);
  std::string key(sealed.substr(kDigest, sealed.size() - 2 * kDigest));
  Digest mask = sha1({secret, sealed.substr(0, kDigest)});
  for (std::size_t at = 0; at < key.size(); at += kDigest) {
    const std::size_t size = std::min(kDigest, key.size() - at);
    for (std::size_t i = 0; i < size; ++i) key[at + i] = static_cast<char>(key[at + i] ^ mask[i]);
    mask = sha1({secret, view(mask)});
  }
  if (view(sha1({secret, key})) != sealed.substr(sealed.size() - kDigest)) {
    return Status(Code::invalid,
                  "its key has another password than the store: give it the same one with keytool "
                  "-keypasswd");
  }
  return key;
}

}  // namespace standpipe
