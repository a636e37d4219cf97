#include "channels/file/encryption.h"

#include <cstring>
#include <map>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/secrets.h"
#include "channels/file/key_source.h"
#include "channels/file/little_endian.h"
#include "channels/file/record_scan.h"
#include "channels/file/segment_format.h"
#include "io/crc32c.h"
#include "support/channel_on_memory_disk.h"

namespace standpipe::file_channel {
namespace {

using standpipe::testing::drain;
using standpipe::testing::numbered_ptr;
using standpipe::testing::numbers;
using standpipe::testing::put;
using ::testing::HasSubstr;
using ::testing::Not;
using Operation = FaultyFileSystem::Operation;

constexpr std::string_view kHexA = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr std::string_view kHexB = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfefff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
constexpr std::uint64_t kChannel = 0x1122334455667788;
constexpr std::uint64_t kSegment = 7;

Key key_of(std::string_view hex) { return parse_key(hex).value(); }

Salt counted_salt() {
  Salt salt;
  for (std::size_t i = 0; i < salt.size(); ++i) salt[i] = static_cast<char>(i);
  return salt;
}

std::string to_hex_text(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return hex;
}

Batch two_events() {
  Batch batch;
  const auto block = batch.add_headers(std::make_shared<const Headers>(Headers{{"host", "a"}}));
  batch.add_copy("hello", block);
  batch.add_copy("world!", block);
  return batch;
}

std::string encrypted(const Batch& batch, std::uint64_t first, std::uint64_t place, RecordCipher& cipher) {
  MemoryBudget budget(1 << 30);
  const EncodedPut put(batch, Form::encrypted, budget);
  std::string bytes;
  for (std::size_t i = 0; i < put.records(); ++i) {
    const std::size_t at = bytes.size();
    bytes.resize(at + put.record_size(i));
    put.encrypt(i, {first, record_seed(kChannel, kSegment), 4096, place + at}, cipher, bytes.data() + at);
  }
  EXPECT_EQ(bytes.size(), put.size());
  return bytes;
}

struct Read {
  std::vector<std::string> events;
  Scan scan;
};
Read read(const std::string& bytes, std::uint64_t place, RecordOpener* opener) {
  const auto slab = Slab::make(bytes.size());
  std::memcpy(slab->data(), bytes.data(), bytes.size());
  Read result;
  result.scan = scan_records(slab, {.bytes = {slab->data(), bytes.size()},
                                    .offset = place,
                                    .seed = record_seed(kChannel, kSegment),
                                    .last = true,
                                    .opener = opener});
  for (const Run& run : result.scan.runs) {
    for (std::size_t i = 0; i < run.count; ++i) {
      const EventRef event = result.scan.batch[run.at + i];
      result.events.push_back(std::to_string(run.first + i) + "=" + std::string(event.body) + " " +
                              std::string(event.headers->get("host").value_or("")));
    }
  }
  return result;
}

// Computed by Python's cryptography from docs/formats/file-channel.md alone.
TEST(EncryptedRecord, IsWhatTheFormatSays) {
  RecordCipher cipher(key_of(kHexA), {kChannel, kSegment, counted_salt()});
  EXPECT_EQ(to_hex_text({cipher.check().data(), cipher.check().size()}), "fd15c3c7e68a3efda0ab82f804be9354");
  EXPECT_EQ(to_hex_text(encrypted(two_events(), 41, 8192, cipher)),
            "5370523149640286b0000000020000002900000000000000010000002116541800100000010100000001020304050607"
            "08090a0b0c0d0e0fab179732cba8b2fff58d6c169c62cd4163b0c3fbd6cf8f928cdfe83c696a63054c2e6a45027d546d"
            "c5a177e049e1c93efd21fd34be54d0760b29558ebc671635ac219e2703c0f20da4062a3fe840efca5370543149640286"
            "b000000002000000290000000000000001000000211654180010000001010000");
}

class EncryptedRecords : public ::testing::Test {
 protected:
  EncryptedRecords() {
    ring_.add("b", key_of(kHexB));
    ring_.add("a", key_of(kHexA));
  }
  KeyRing ring_;
  RecordCipher cipher_{key_of(kHexA), {kChannel, kSegment, counted_salt()}};
};

TEST_F(EncryptedRecords, AreReadWithWhicheverKeyFits) {
  const std::string bytes = encrypted(two_events(), 41, 8192, cipher_) + encrypted(two_events(), 43, 8400, cipher_);
  RecordOpener opener(ring_, kChannel, kSegment);
  const std::string whole = encrypted(two_events(), 41, 8192, cipher_);
  const Read found = read(whole + encrypted(two_events(), 43, 8192 + whole.size(), cipher_), 8192, &opener);
  EXPECT_THAT(found.events, ::testing::ElementsAre("41=hello a", "42=world! a", "43=hello a", "44=world! a"));
  EXPECT_TRUE(found.scan.damages.empty());
  EXPECT_TRUE(opener.fits());
}

TEST_F(EncryptedRecords, AreCheckedAndNotReadWithoutAKey) {
  const std::string bytes = encrypted(two_events(), 41, 8192, cipher_);
  const Read without = read(bytes, 8192, nullptr);
  EXPECT_THAT(without.scan.closed, ::testing::ElementsAre(Range{41, 43}));
  EXPECT_TRUE(without.scan.damages.empty()) << "what can't be read is not damaged";
  KeyRing other;
  other.add("b", key_of(kHexB));
  RecordOpener opener(other, kChannel, kSegment);
  const Read wrong = read(bytes, 8192, &opener);
  EXPECT_TRUE(wrong.events.empty());
  EXPECT_THAT(wrong.scan.closed, ::testing::ElementsAre(Range{41, 43}));
  EXPECT_FALSE(opener.fits());
}

TEST_F(EncryptedRecords, AreBoundToTheirPlaceSegmentChannelAndNumber) {
  const std::string bytes = encrypted(two_events(), 41, 8192, cipher_);
  const auto opened = [&](const std::string& moved, std::uint64_t place, std::uint64_t channel, std::uint64_t segment) {
    RecordOpener opener(ring_, channel, segment);
    return read(moved, place, &opener).events.size();
  };
  EXPECT_EQ(opened(bytes, 8192, kChannel, kSegment), 2u);
  EXPECT_EQ(opened(bytes, 8200, kChannel, kSegment), 0u);
  EXPECT_EQ(opened(bytes, 8192, kChannel + 1, kSegment), 0u);
  EXPECT_EQ(opened(bytes, 8192, kChannel, kSegment + 1), 0u);
  // Another number, with checksums that agree: as somebody would forge it who has no key.
  std::string renumbered = bytes;
  store(renumbered.data() + 16, std::uint64_t{50});
  const std::uint32_t seed = record_seed(kChannel, kSegment);
  store(renumbered.data() + 4, crc32c(seed, std::string_view(renumbered).substr(8, kRecordHeader - 8)));
  ASSERT_TRUE(parse_record_header(renumbered, seed));
  RecordOpener opener(ring_, kChannel, kSegment);
  EXPECT_THAT(read(bytes, 8192, &opener).events, ::testing::SizeIs(2));
  const Read forged = read(renumbered, 8192, &opener);
  EXPECT_TRUE(forged.events.empty());
  ASSERT_EQ(forged.scan.damages.size(), 1u);
  EXPECT_EQ(forged.scan.damages[0].what, "encrypted record that no key fits");
}

TEST_F(EncryptedRecords, AFlippedBitCostsTheRecordAndIsReportedWithItsNumbers) {
  const std::string first = encrypted(two_events(), 41, 8192, cipher_);
  const std::string good = first + encrypted(two_events(), 43, 8192 + first.size(), cipher_);
  for (std::size_t bit = 0; bit < first.size() * 8; ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    RecordOpener opener(ring_, kChannel, kSegment);
    const Read found = read(bytes, 8192, &opener);
    const bool content = bit / 8 >= kRecordHeader && bit / 8 < first.size() - kRecordHeader;
    ASSERT_EQ(found.events.size(), content ? 2u : 4u) << "bit " << bit;
    if (!content) continue;
    ASSERT_EQ(found.scan.damages.size(), 1u);
    EXPECT_EQ(found.scan.damages[0].numbers, (Range{41, 43}));
    EXPECT_EQ(found.scan.damages[0].offset, 8192u);
    EXPECT_EQ(found.scan.damages[0].bytes, first.size());
  }
}

TEST(Keys, AreReadFromFilesThatOthersCantRead) {
  const standpipe::testing::TemporaryDirectory directory;
  const std::string path = directory.file("key");
  ASSERT_TRUE(write_file_atomically(real_file_system(), path, std::string(kHexA) + "\n", 0640).ok());
  const KeySource source{KeySource::Provider::file, {{"k1", path}}, "k1"};
  const KeyRing ring = load_keys(source, real_file_system()).value();
  ASSERT_NE(ring.active(), nullptr);
  EXPECT_EQ(ring.active()->key, key_of(kHexA));
  EXPECT_THAT(without_secrets("the key is " + std::string(kHexA)), Not(HasSubstr("0405"))) << "logs don't show it";
  for (const mode_t mode : {0644, 0660, 0601}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    const Status refused = load_keys(source, real_file_system()).status();
    EXPECT_EQ(refused.code(), Code::invalid);
    EXPECT_THAT(refused.message(), HasSubstr("others may read or change " + path));
  }
}

TEST(Keys, AreReadFromVariablesAndCommands) {
  ::setenv("STANDPIPE_TEST_KEY", "8PHy8/T19vf4+fr7/P3+//Dx8vP09fb3+Pn6+/z9/v8=", 1);
  const KeySource variable{KeySource::Provider::environment, {{"k1", "STANDPIPE_TEST_KEY"}}, ""};
  const KeyRing ring = load_keys(variable, real_file_system()).value();
  EXPECT_EQ(ring.active(), nullptr);
  ASSERT_NE(ring.find("k1"), nullptr);
  EXPECT_EQ(ring.find("k1")->key, key_of(kHexB));
  ::unsetenv("STANDPIPE_TEST_KEY");
  EXPECT_THAT(load_keys(variable, real_file_system()).status().message(),
              HasSubstr("the variable STANDPIPE_TEST_KEY is not set"));
  const KeySource command{KeySource::Provider::command, {{"k1", "echo " + std::string(kHexB)}}, "k1"};
  EXPECT_EQ(load_keys(command, real_file_system()).value().active()->key, key_of(kHexB));
  const KeySource failing{KeySource::Provider::command, {{"k1", "false"}}, "k1"};
  EXPECT_THAT(load_keys(failing, real_file_system()).status().message(),
              HasSubstr("encryption.keyProvider.keys.k1: false ended with status 1"));
  KeySource hanging{KeySource::Provider::command, {{"k1", "sleep 1000"}}, "k1"};
  hanging.command_limit = std::chrono::milliseconds(1);
  EXPECT_THAT(load_keys(hanging, real_file_system()).status().message(),
              HasSubstr("encryption.keyProvider.keys.k1: sleep took too long and was ended"));
  const KeySource talking{KeySource::Provider::command, {{"k1", "echo token-4711"}}, "k1"};
  EXPECT_THAT(load_keys(talking, real_file_system()).status().message(),
              HasSubstr("encryption.keyProvider.keys.k1: its command: 10 characters are no key"));
}

TEST(Keys, AreRefusedWhereTheyAreNone) {
  EXPECT_EQ(parse_key(std::string(kHexA) + "\r\n").value(), key_of(kHexA));
  const std::string bad[] = {"",
                             "secret",
                             "0001",
                             std::string(kHexA) + "00",
                             std::string(63, 'a') + "g",
                             "8PHy8/T19vf4+fr7/P3+//Dx8vP09fb3+Pn6+/z9/g==",
                             std::string(43, '!') + "="};
  for (const std::string& text : bad) {
    const Status refused = parse_key(text).status();
    EXPECT_EQ(refused.code(), Code::invalid) << text;
    EXPECT_THAT(refused.message(), HasSubstr("openssl rand -hex 32"));
    EXPECT_TRUE(text.size() < 5 || refused.message().find(text) == std::string::npos) << "it may be one, mistyped";
  }
}

/// Channels on one disk in memory with keys of their own choice.
class EncryptedChannel : public standpipe::testing::ChannelOnMemoryDisk {
 protected:
  void SetUp() override {
    ASSERT_TRUE(disk_.make_directories("/keys").ok());
    ASSERT_TRUE(write_file_atomically(disk_, "/keys/a", kHexA, 0600).ok());
    ASSERT_TRUE(write_file_atomically(disk_, "/keys/b", kHexB, 0600).ok());
  }

  static Settings::Map with_keys(const std::string& active, const std::string& names) {
    Settings::Map values = clear();
    values["encryption.keyProvider"] = "file";
    values["encryption.activeKey"] = active;
    values["encryption.keyProvider.keys"] = names;
    for (const std::string name : {"a", "b"}) {
      if (names.find(name) == std::string::npos) continue;
      values["encryption.keyProvider.keys." + name + ".file"] = "/keys/" + name;
    }
    return values;
  }

  Status open(const Settings::Map& values) { return open_with(values); }
  /// With their content.
  std::map<std::string, std::string> segment_files() const {
    std::map<std::string, std::string> found = disk_.files();
    std::erase_if(found, [](const auto& file) { return file.first.find("/segment-") == std::string::npos; });
    return found;
  }
};

TEST_F(EncryptedChannel, LeavesNothingOfAnEventInAnyFileAndNoKeyInTheLog) {
  ASSERT_TRUE(open(with_keys("a", "a")).ok());
  const std::string secret = "the quick brown fox";
  for (int i = 0; i < 40; ++i) {
    Batch batch;
    const auto block = batch.add_headers(std::make_shared<const Headers>(Headers{{"password", "tr0ub4dor"}}));
    for (int j = 0; j <= i % 3; ++j) batch.add_copy(secret + std::string(3000, 'x'), block);
    ASSERT_TRUE(put(*channel_, std::make_shared<const Batch>(std::move(batch))).ok());
    ASSERT_TRUE(channel_->take(1).value().commit().ok());
    if (i != 20) continue;
    kill();
    ASSERT_TRUE(open(with_keys("a", "a")).ok());
  }
  channel_->stop();
  ASSERT_GE(segment_files().size(), 2u);
  for (const auto& [path, content] : disk_.files()) {
    if (path.starts_with("/keys/")) continue;
    for (const std::string_view part : {"the quick", "xxxxxxxx", "tr0ub4dor", "password"}) {
      EXPECT_EQ(content.find(part), std::string::npos) << path << " holds " << part;
    }
    const Key key = key_of(kHexA);
    EXPECT_EQ(content.find(std::string_view(key.data(), key.size())), std::string::npos) << path;
  }
  for (const std::string& line : world_.log.lines()) EXPECT_THAT(line, Not(HasSubstr(std::string(kHexA))));
  ASSERT_TRUE(channel_->start().ok());
  EXPECT_EQ(world_.count("EventDamagedCount"), 0);
  while (channel_->size() > 0) {
    Lease lease = channel_->take(10).value();
    ASSERT_FALSE(lease.empty());
    EXPECT_TRUE(lease[0].body.starts_with(secret));
    EXPECT_EQ(lease[0].headers->get("password"), "tr0ub4dor");
    ASSERT_TRUE(lease.commit().ok());
  }
}

/// A cut may have left zeros in either.
bool are_one(std::string_view a, std::string_view b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i] != b[i] && a[i] != 0 && b[i] != 0) return false;
  }
  return a.size() == b.size();
}

/// The pair of key and nonce is that of salt and place. Every state of the disk that a kill or a failed sync leaves is
/// looked at; records that stand in it again must be the same bytes.
TEST_F(EncryptedChannel, NoNonceIsUsedTwiceOverKillsAndFailedSyncs) {
  std::map<std::pair<std::string, std::uint64_t>, std::string> used;
  std::map<std::string, std::string> salts;  // to the segment
  std::size_t records = 0;
  const auto look = [&] {
    for (const auto& [path, content] : segment_files()) {
      const auto header = parse_segment_header(content);
      if (!header.ok()) continue;
      EXPECT_EQ(header->key_name, "a");
      const std::string salt(header->salt.begin(), header->salt.end());
      const auto known = salts.emplace(salt, path).first;
      EXPECT_EQ(known->second, path) << "two segments with one key";
      const std::uint32_t seed = record_seed(header->channel_id, header->segment_id);
      for (std::size_t at = kSegmentHeader; at + kRecordHeader <= content.size();) {
        const auto record = parse_record_header(std::string_view(content).substr(at), seed);
        if (!record) {
          at += kRecordAlignment;
          continue;
        }
        EXPECT_TRUE(record->encrypted());
        EXPECT_EQ(content.substr(at + kRecordHeader, kSaltSize), salt);
        const std::string_view now = std::string_view(content).substr(at, record->length);
        const auto before = used.emplace(std::pair(salt, at), now).first;
        EXPECT_TRUE(are_one(before->second, now)) << "two records with one nonce";
        at += record->length;
        ++records;
      }
    }
  };
  for (std::size_t life = 0; life < 40; ++life) {
    ASSERT_TRUE(open(with_keys("a", "a")).ok());
    for (std::size_t i = 0; i < 5; ++i) {
      if (i == life % 5) faults_.inject({.operation = Operation::sync, .path_contains = "segment-", .times = 1});
      ASSERT_TRUE(put(*channel_, numbered_ptr(life * 20 + i * 4, 4)).ok());
      look();
    }
    EXPECT_EQ(channel_->take(20).value().size(), 20u);
    ASSERT_TRUE(channel_->take(20).value().commit().ok());
    kill();
    look();
    disk_.power_cut_torn(static_cast<std::uint32_t>(life));
    look();
  }
  EXPECT_GT(records, 1000u);
  EXPECT_GE(salts.size(), 80u);
}

TEST_F(EncryptedChannel, ReadsWhatIsInClearAndEncryptsWhatComes) {
  ASSERT_TRUE(open(clear()).ok());
  ASSERT_TRUE(put(*channel_, numbered_ptr(1000, 5)).ok());
  channel_->stop();
  const auto before = segment_files();
  ASSERT_TRUE(open(with_keys("a", "a")).ok());
  ASSERT_TRUE(put(*channel_, numbered_ptr(1005, 5)).ok());
  kill();
  for (const auto& [path, content] : segment_files()) {
    if (before.contains(path)) continue;
    EXPECT_EQ(content.find("1005"), std::string::npos) << path;
  }
  ASSERT_TRUE(open(with_keys("a", "a")).ok());
  EXPECT_EQ(drain(*channel_), numbers(1000, 10));
}

TEST_F(EncryptedChannel, ChangesItsKeyAndReadsWhatTheOldOneEncrypted) {
  ASSERT_TRUE(open(with_keys("a", "a")).ok());
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 5)).ok());
  channel_->stop();
  ASSERT_TRUE(open(with_keys("b", "a b")).ok());
  ASSERT_TRUE(put(*channel_, numbered_ptr(5, 5)).ok());
  channel_->stop();
  ASSERT_TRUE(open(with_keys("NONE", "a b")).ok());
  ASSERT_TRUE(put(*channel_, numbered_ptr(10, 5)).ok());
  channel_->stop();
  std::vector<std::string> names;
  for (const auto& [path, content] : segment_files()) names.push_back(parse_segment_header(content)->key_name);
  EXPECT_THAT(names, ::testing::ElementsAre("a", "b", ""));

  const auto refused = [&](const Settings::Map& values) {
    const auto files = segment_files();
    const Status status = open(values);
    EXPECT_EQ(status.code(), Code::invalid);
    EXPECT_EQ(segment_files(), files) << "nothing is touched";
    return status.message();
  };
  EXPECT_THAT(refused(with_keys("b", "b")), HasSubstr("segment-0000000000000001 holds events encrypted with key a, "
                                                      "which is not at hand: keep it among "
                                                      "a1.channels.c1.encryption.keyProvider.keys"));
  EXPECT_THAT(refused(clear()), HasSubstr("encrypted with key a"));
  disk_.change("/keys/a", [](std::string& key) { key = kHexB; });
  EXPECT_THAT(refused(with_keys("b", "a b")),
              HasSubstr("was encrypted with another key than the one that is called a"));
  disk_.change("/keys/a", [](std::string& key) { key = kHexA; });

  ASSERT_TRUE(open(with_keys("b", "a b")).ok());
  EXPECT_EQ(drain(*channel_), numbers(0, 15));
  channel_->stop();
  EXPECT_TRUE(open(clear()).ok()) << "what is delivered needs no key";
}

TEST_F(EncryptedChannel, ADamagedHeaderCostsNothingAndAMissingKeyIsNotDamage) {
  ASSERT_TRUE(open(with_keys("a", "a")).ok());
  ASSERT_TRUE(put(*channel_, numbered_ptr(0, 5)).ok());
  channel_->stop();
  const std::string path = segment_files().begin()->first;
  disk_.change(path, [](std::string& content) { content.replace(0, kSegmentHeader, kSegmentHeader, '\0'); });
  EXPECT_THAT(open(with_keys("b", "b")).message(),
              HasSubstr("none of a1.channels.c1.encryption.keyProvider.keys opens"));
  EXPECT_THAT(open(clear()).message(), HasSubstr("none of"));
  ASSERT_TRUE(open(with_keys("b", "b a")).ok());
  EXPECT_EQ(drain(*channel_), numbers(0, 5));
  EXPECT_EQ(world_.count("EventDamagedCount"), 0);
}

TEST_F(EncryptedChannel, DamageIsReportedAsOfOneInClear) {
  ASSERT_TRUE(open(with_keys("a", "a")).ok());
  for (std::size_t i = 0; i < 4; ++i) ASSERT_TRUE(put(*channel_, numbered_ptr(i * 3, 3)).ok());
  channel_->stop();
  const auto [path, content] = *segment_files().begin();
  const auto header = parse_segment_header(content).value();
  const auto record = parse_record_header(std::string_view(content).substr(kSegmentHeader),
                                          record_seed(header.channel_id, header.segment_id));
  disk_.change(path, [&](std::string& bytes) { bytes[kSegmentHeader + record->length + 70] ^= 4; });
  ASSERT_TRUE(open(with_keys("a", "a")).ok());
  std::vector<std::string> left = numbers(0, 3);
  for (const std::string& body : numbers(6, 6)) left.push_back(body);
  EXPECT_EQ(drain(*channel_), left);
  EXPECT_EQ(world_.count("EventDamagedCount"), 3);
  EXPECT_EQ(world_.count("DamagedBytes"), record->length);
  EXPECT_TRUE(world_.log.contains(fmt::format("{}: damage at {}, {} bytes (encrypted record), events 3 to 5", path,
                                              kSegmentHeader + record->length, record->length)));
}

TEST_F(EncryptedChannel, DoesNotStartWithWhatItCantHonour) {
  const auto refused = [&](Settings::Map values) {
    const Status status = make(values);
    EXPECT_EQ(status.code(), Code::invalid);
    EXPECT_THAT(status.message(), HasSubstr("writes nothing in clear"));
    return status.message();
  };
  Settings::Map flume = clear();
  flume["encryption.keyProvider"] = "JCEKSFILE";
  flume["encryption.activeKey"] = "key-1";
  flume["encryption.cipherProvider"] = "AESCTRNOPADDING";
  flume["encryption.keyProvider.keyStoreFile"] = "/k.jceks";
  EXPECT_THAT(
      refused(flume),
      HasSubstr("let Flume drain the channel, remove all of encryption.*, then set encryption.keyProvider = FILE"));
  flume["encryption.keyProvider"] = "FILE";
  EXPECT_THAT(refused(flume), HasSubstr("encryption.cipherProvider = AESCTRNOPADDING"));
  flume["encryption.cipherProvider"] = "aes-256-gcm";
  EXPECT_THAT(refused(flume), HasSubstr("encryption.keyProvider.keyStoreFile"));
  Settings::Map values = with_keys("a", "a");
  values["encryption.activeKey"] = "c";
  EXPECT_THAT(refused(values), HasSubstr("encryption.activeKey must be one of"));
  values.erase("encryption.activeKey");
  EXPECT_THAT(refused(values), HasSubstr("encryption.activeKey must be one of")) << "not silently in clear";
  values = with_keys("a", "a");
  values.erase("encryption.keyProvider");
  EXPECT_THAT(refused(values), HasSubstr("is set without encryption.keyProvider"));
  values = with_keys("a", "a");
  values.erase("encryption.keyProvider.keys.a.file");
  EXPECT_THAT(refused(values), HasSubstr("encryption.keyProvider.keys.a.file is missing"));
  values["encryption.keyProvider.keys.a.variable"] = "X";
  values["encryption.keyProvider.keys.a.file"] = "/keys/a";
  EXPECT_THAT(refused(values), HasSubstr("encryption.keyProvider.keys.a.variable has no meaning"));
  values = clear();
  values["encryption.activeKey"] = "a";
  EXPECT_THAT(refused(values), HasSubstr("is set without encryption.keyProvider"));
}

}  // namespace
}  // namespace standpipe::file_channel
