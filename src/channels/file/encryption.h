#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channels/file/record.h"
#include "standpipe/status.h"

struct evp_cipher_ctx_st;

/// Records that only who has the key can read: docs/formats/file-channel.md, "Encrypted records".
namespace standpipe::file_channel {

inline constexpr std::size_t kKeySize = 32;
using Key = std::array<char, kKeySize>;

/// An operator's keys by name, and the one that new segments are encrypted with.
class KeyRing {
 public:
  struct NamedKey {
    std::string name;
    Key key;
  };
  void add(std::string name, const Key& key) { keys_.push_back({std::move(name), key}); }
  /// `name` must be among the keys; without a call new segments are in clear.
  void activate(std::string_view name);

  const NamedKey* active() const { return active_ < keys_.size() ? &keys_[active_] : nullptr; }
  const NamedKey* find(std::string_view name) const;
  const std::vector<NamedKey>& all() const { return keys_; }
  bool empty() const { return keys_.empty(); }

 private:
  std::vector<NamedKey> keys_;
  std::size_t active_ = ~std::size_t{0};
};

using KeyCheck = std::array<char, 16>;

/// What is told apart by keys of their own.
struct SegmentKeyInput {
  std::uint64_t channel_id;
  std::uint64_t segment_id;
  Salt salt;
};
/// Random bytes. Code::unavailable: the system has none.
Result<Salt> make_salt();

/// One segment's key, which encrypts and opens its records. One thread at a time.
class RecordCipher {
 public:
  RecordCipher(const Key& key, const SegmentKeyInput& segment);

  const Salt& salt() const { return salt_; }
  /// Tells the key from others, and nothing about it.
  const KeyCheck& check() const { return check_; }

  /// Cipher text (as long as `plain`) and tag go to `to`. A place is used for one record only, ever.
  void encrypt(std::uint64_t place, std::string_view associated, std::string_view plain, char* to);
  /// `text` (cipher text and tag) to plain text at `to`, which may be where it stands. False: the tag does not agree,
  /// and `to` holds nothing of use.
  bool open(std::uint64_t place, std::string_view associated, std::string_view text, char* to);

 private:
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const noexcept;
  };
  Salt salt_;
  KeyCheck check_;
  std::unique_ptr<evp_cipher_ctx_st, Free> encrypting_;
  std::unique_ptr<evp_cipher_ctx_st, Free> opening_;
};

/// Opens the records of one segment, with whichever key of the ring fits. One thread at a time.
class RecordOpener {
 public:
  RecordOpener(const KeyRing& keys, std::uint64_t channel_id, std::uint64_t segment_id)
      : keys_(keys), channel_id_(channel_id), segment_id_(segment_id) {}

  /// In place: `record` begins at `place` of the segment and is whole; its checksum agrees. False: no key fits.
  bool open(std::uint64_t place, const RecordHeader& header, char* record);
  /// Some record was opened: the key is at hand.
  bool fits() const { return cipher_.has_value(); }

 private:
  bool find_key(std::uint64_t place, std::string_view associated, std::string_view text, const Salt& salt);

  const KeyRing& keys_;
  const std::uint64_t channel_id_;
  const std::uint64_t segment_id_;
  std::optional<RecordCipher> cipher_;  // of the last record
};

}  // namespace standpipe::file_channel
