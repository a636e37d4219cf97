#include "channels/file/encryption.h"

#include <algorithm>
#include <cstring>

#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include "base/check.h"
#include "channels/file/little_endian.h"

namespace standpipe::file_channel {

namespace {

constexpr std::string_view kInfo = "standpipe segment";
constexpr std::size_t kNonce = 12;

const unsigned char* bytes_of(const char* text) { return reinterpret_cast<const unsigned char*>(text); }
unsigned char* bytes_of(char* text) { return reinterpret_cast<unsigned char*>(text); }

/// HKDF-SHA256 to the AES key and its check.
std::array<char, kKeySize + sizeof(KeyCheck)> derive(const Key& key, const SegmentKeyInput& segment) {
  std::string info(kInfo);
  append(info, segment.channel_id);
  append(info, segment.segment_id);
  std::array<char, kKeySize + sizeof(KeyCheck)> derived;
  std::size_t size = derived.size();
  const std::unique_ptr<EVP_PKEY_CTX, void (*)(EVP_PKEY_CTX*)> context(EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr),
                                                                       EVP_PKEY_CTX_free);
  const bool done =
      context != nullptr && EVP_PKEY_derive_init(context.get()) > 0 &&
      EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()) > 0 &&
      EVP_PKEY_CTX_set1_hkdf_salt(context.get(), bytes_of(segment.salt.data()), int(segment.salt.size())) > 0 &&
      EVP_PKEY_CTX_set1_hkdf_key(context.get(), bytes_of(key.data()), int(key.size())) > 0 &&
      EVP_PKEY_CTX_add1_hkdf_info(context.get(), bytes_of(info.data()), int(info.size())) > 0 &&
      EVP_PKEY_derive(context.get(), bytes_of(derived.data()), &size) > 0;
  CHECK(done && size == derived.size());
  return derived;
}

std::array<unsigned char, kNonce> nonce_of(std::uint64_t place) {
  std::array<unsigned char, kNonce> nonce{};
  std::memcpy(nonce.data() + kNonce - sizeof place, &place, sizeof place);
  return nonce;
}

}  // namespace

void KeyRing::activate(std::string_view name) {
  const NamedKey* const key = find(name);
  CHECK(key != nullptr);
  active_ = static_cast<std::size_t>(key - keys_.data());
}

const KeyRing::NamedKey* KeyRing::find(std::string_view name) const {
  const auto at = std::find_if(keys_.begin(), keys_.end(), [name](const NamedKey& key) { return key.name == name; });
  return at == keys_.end() ? nullptr : &*at;
}

Result<Salt> make_salt() {
  Salt salt;
  if (RAND_bytes(bytes_of(salt.data()), int(salt.size())) != 1) {
    return Status(Code::unavailable, "the system gives no random bytes, which encryption needs");
  }
  return salt;
}

void RecordCipher::Free::operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }

RecordCipher::RecordCipher(const Key& key, const SegmentKeyInput& segment)
    : salt_(segment.salt), encrypting_(EVP_CIPHER_CTX_new()), opening_(EVP_CIPHER_CTX_new()) {
  auto derived = derive(key, segment);
  std::memcpy(check_.data(), derived.data() + kKeySize, check_.size());
  const unsigned char* const secret = bytes_of(derived.data());
  CHECK(EVP_EncryptInit_ex(encrypting_.get(), EVP_aes_256_gcm(), nullptr, secret, nullptr) == 1);
  CHECK(EVP_DecryptInit_ex(opening_.get(), EVP_aes_256_gcm(), nullptr, secret, nullptr) == 1);
  OPENSSL_cleanse(derived.data(), derived.size());
}

void RecordCipher::encrypt(std::uint64_t place, std::string_view associated, std::string_view plain, char* to) {
  EVP_CIPHER_CTX* const context = encrypting_.get();
  int done = 0;
  int last = 0;
  const bool good =
      EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce_of(place).data()) == 1 &&
      EVP_EncryptUpdate(context, nullptr, &done, bytes_of(associated.data()), int(associated.size())) == 1 &&
      EVP_EncryptUpdate(context, bytes_of(to), &done, bytes_of(plain.data()), int(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(context, bytes_of(to) + done, &last) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, int(kTagSize), to + plain.size()) == 1;
  CHECK(good && static_cast<std::size_t>(done) == plain.size());
}

bool RecordCipher::open(std::uint64_t place, std::string_view associated, std::string_view text, char* to) {
  EVP_CIPHER_CTX* const context = opening_.get();
  const std::size_t size = text.size() - kTagSize;
  char tag[kTagSize];
  std::memcpy(tag, text.data() + size, kTagSize);
  int done = 0;
  int last = 0;
  return EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, nonce_of(place).data()) == 1 &&
         EVP_DecryptUpdate(context, nullptr, &done, bytes_of(associated.data()), int(associated.size())) == 1 &&
         EVP_DecryptUpdate(context, bytes_of(to), &done, bytes_of(text.data()), int(size)) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, int(kTagSize), tag) == 1 &&
         EVP_DecryptFinal_ex(context, bytes_of(to) + done, &last) == 1;
}

bool RecordOpener::find_key(std::uint64_t place, std::string_view associated, std::string_view text, const Salt& salt) {
  std::string scratch(text.size(), '\0');
  for (const KeyRing::NamedKey& known : keys_.all()) {
    RecordCipher cipher(known.key, {channel_id_, segment_id_, salt});
    if (!cipher.open(place, associated, text, scratch.data())) continue;
    cipher_.emplace(std::move(cipher));
    return true;
  }
  return false;
}

bool RecordOpener::open(std::uint64_t place, const RecordHeader& header, char* record) {
  Salt salt;
  std::memcpy(salt.data(), record + kRecordHeader, salt.size());
  const AssociatedData associated = associated_data(header);
  const std::string_view bound(associated.data(), associated.size());
  char* const content = record + kRecordHeader + kSaltSize;
  const std::string_view text(content, header.content_size() + kTagSize);
  const bool known = cipher_ && cipher_->salt() == salt;
  if (!known && !find_key(place, bound, text, salt)) return false;
  return cipher_->open(place, bound, text, content);
}

}  // namespace standpipe::file_channel
