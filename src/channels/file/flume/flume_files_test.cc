#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "channels/file/flume/backlog.h"
#include "channels/file/flume/checkpoint.h"
#include "channels/file/flume/flume_folder.h"
#include "channels/file/flume/log_record.h"
#include "channels/file/flume/md5.h"
#include "channels/file/flume/names.h"
#include "channels/file/flume/protobuf.h"
#include "io/memory_file_system.h"
#include "support/test_environment.h"

namespace standpipe::file_channel::flume {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using End = FlumeFolder::End;

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  std::string digits;
  for (const char each : hex) {
    if (each != ' ') digits += each;
  }
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

std::string hex_of(std::string_view bytes) {
  std::string hex;
  for (const char each : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(each));
  return hex;
}

// Written by Flume 1.11; transaction 0x0102030405060708 and order 0x1112131415161718 stand for its own numbers.
constexpr std::int64_t kTransaction = 0x0102030405060708;
constexpr std::int64_t kOrder = 0x1112131415161718;
constexpr std::string_view kIds = "11 0807060504030201 19 1817161514131211";

std::string vector_of(std::string_view before, std::string_view after) {
  return bytes_of(std::string(before) + std::string(kIds) + std::string(after));
}

const std::string& put_vector() {
  static const std::string kBytes =
      vector_of("7f 00000034 17 0d01000000", "1a 0a0f 0a060a016b120176 120568656c6c6f 11 86a6103600000000 00");
  return kBytes;
}

TEST(FlumeLogRecord, WritesWhatFlumeWrites) {
  std::string bytes;
  append_put(bytes, kTransaction, kOrder, Headers{{"k", "v"}}, "hello");
  EXPECT_EQ(hex_of(bytes), hex_of(put_vector()));
  EXPECT_EQ(bytes.size(), put_size(Headers{{"k", "v"}}, "hello"));
  bytes.clear();
  append_put(bytes, kTransaction, kOrder, {}, "w2");
  EXPECT_EQ(hex_of(bytes), hex_of(vector_of("7f 00000029 17 0d01000000", "0f 0a04 12027732 11 4eac70e900000000 00")));
  bytes.clear();
  append_commit(bytes, kTransaction, kOrder, RecordType::put);
  EXPECT_EQ(hex_of(bytes), hex_of(vector_of("7f 0000001f 17 0d04000000", "05 0d01000000 00")));
  bytes.clear();
  append_take(bytes, kTransaction, kOrder, make_pointer(1, 0));
  EXPECT_EQ(hex_of(bytes), hex_of(vector_of("7f 00000024 17 0d02000000", "0a 0d01000000 1500000000 00")));
  bytes.clear();
  append_rollback(bytes, kTransaction, kOrder);
  EXPECT_EQ(hex_of(bytes), hex_of(vector_of("7f 0000001a 17 0d03000000", "00 00")));
  EXPECT_EQ(hex_of(format_log_meta({.log = 1, .position = 371, .order = kOrder})),
            hex_of(bytes_of("2e 0d03000000 1501000000 197301000000000000 21 1817161514131211 31 0000000000000000 39 "
                            "0000000000000000")));
  EXPECT_EQ(hex_of(format_checkpoint_meta({})), hex_of(bytes_of("18 0d03000000 110000000000000000 1d00000000 "
                                                                "2500000000")));
}

TEST(FlumeLogRecord, ReadsWhatFlumeWrote) {
  const std::string_view payload = std::string_view(put_vector()).substr(kRecordPrefix);
  const auto record = parse_record(payload);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->type, RecordType::put);
  EXPECT_EQ(record->transaction, kTransaction);
  EXPECT_EQ(record->order, kOrder);
  const auto event = parse_event(payload);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->body, "hello");
  EXPECT_EQ(event->headers, (Headers{{"k", "v"}}));

  std::string take;
  append_take(take, 1, 2, make_pointer(7, 99));
  EXPECT_EQ(parse_record(take.substr(kRecordPrefix))->taken, make_pointer(7, 99));
  std::string commit;
  append_commit(commit, 1, 2, RecordType::take);
  EXPECT_EQ(parse_record(commit.substr(kRecordPrefix))->committed, RecordType::take);

  const auto meta = parse_checkpoint_meta(
      bytes_of("24 0d03000000 11 1817161514131211 1d01000000 2563000000 2a0a 0d01000000 1501000000"));
  ASSERT_TRUE(meta);
  EXPECT_EQ(meta->order, kOrder);
  EXPECT_EQ(meta->size, 1u);
  EXPECT_EQ(meta->head, 99u);
}

/// No single changed byte of an event makes another event of it unseen: the body is checksummed, what describes it must
/// fit. Header bytes have no checksum in Flume.
TEST(FlumeLogRecord, AFlippedBitInTheBodyIsSeen) {
  const std::string payload = put_vector().substr(kRecordPrefix);
  const std::size_t body = payload.find("hello");
  for (std::size_t i = body; i < body + 5; ++i) {
    std::string damaged = payload;
    damaged[i] ^= 1;
    EXPECT_FALSE(parse_event(damaged)) << i;
  }
  for (std::size_t size = 0; size + 1 < payload.size(); ++size) EXPECT_FALSE(parse_event(payload.substr(0, size)));
}

TEST(FlumeLogRecord, AMetaFileSaysThatALogIsEncrypted) {
  std::string encryption;
  put_bytes(encryption, 1, "AESCTRNOPADDING");
  put_bytes(encryption, 2, "key-0");
  std::string message = format_log_meta({.log = 1}).substr(1);
  put_bytes(message, 5, encryption);
  std::string file;
  put_delimited(file, message);
  EXPECT_EQ(parse_log_meta(file)->encryption, "encrypted with cipher AESCTRNOPADDING, key key-0");
}

TEST(FlumeProtobuf, NumbersAndLengthsThatEndTooEarlyAreDamage) {
  for (const std::string_view hex : {"0d 000000", "11 00000000000000", "0a 05 61", "0a", "08 80", "ff ff ff ff ff ff",
                                     "0b", "00 01", "08 80808080808080808002"}) {
    const std::string message = bytes_of(hex);
    FieldReader fields(message);
    while (fields.next()) {
    }
    EXPECT_TRUE(fields.damaged()) << hex;
  }
  std::string bytes;
  put_varint(bytes, ~std::uint64_t{0});
  EXPECT_EQ(bytes.size(), varint_size(~std::uint64_t{0}));
  std::string_view left = bytes;
  EXPECT_EQ(take_varint(left), ~std::uint64_t{0});
}

TEST(FlumeMd5, TheVectorsOfTheStandard) {
  const auto hex = [](std::string_view text) {
    const auto digest = md5(text);
    return hex_of({digest.data(), digest.size()});
  };
  EXPECT_EQ(hex(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(hex("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
  EXPECT_EQ(hex("12345678901234567890123456789012345678901234567890123456789012345678901234567890"),
            "57edf4a22be3c955ac49da2e2107b67a");
  EXPECT_EQ(hex(std::string(16, '\0')), "4ae71336e44bf9bf79d2752e234818a5");  // nothing in flight
}

TEST(FlumeNames, WhatIsFlumesAndWhatIsNot) {
  EXPECT_EQ(parse_log_name("log-12"), 12u);
  for (const char* name : {"log-", "log-1x", "log--1", "log-99999999999", "blog-1", "log-1.meta"}) {
    EXPECT_FALSE(parse_log_name(name)) << name;
  }
  for (const char* name : {"log-1", "log-1.meta", "log-1.meta.tmp", "checkpoint", "checkpoint.meta", "inflighttakes",
                           "queueset", "backupComplete", "checkpoint-backup-17"}) {
    EXPECT_TRUE(is_name_of_flume(name)) << name;
  }
  for (const char* name : {"in_use.lock", "standpipe-channel", "segment-0000000000000001", "log-1.bak", "logs"}) {
    EXPECT_FALSE(is_name_of_flume(name)) << name;
  }
}

TEST(FlumeInFlight, ReadsBackAndRefusesDamage) {
  const InFlight transactions{{5, {make_pointer(1, 319)}}, {9, {make_pointer(1, 1), make_pointer(2, 7)}}};
  const std::string file = format_in_flight(transactions);
  EXPECT_EQ(parse_in_flight(file), transactions);
  EXPECT_EQ(parse_in_flight(""), InFlight());
  EXPECT_EQ(format_in_flight({}).size(), 32u);
  for (std::size_t i = 0; i < file.size(); ++i) {
    std::string damaged = file;
    damaged[i] ^= 1;
    EXPECT_FALSE(parse_in_flight(damaged)) << i;
  }
}

class FlumeBacklogTest : public ::testing::Test {
 protected:
  static constexpr const char* kCheckpoint = "/f/checkpoint";

  Result<Backlog> read(const std::string& backup = {}) {
    return read_backlog(disk_, world_.log, {kCheckpoint, {"/f/data1", "/f/data2"}, backup});
  }
  std::vector<std::string> bodies(const Backlog& backlog) {
    EventReader reader(disk_, backlog.logs);
    std::vector<std::string> found;
    for (const Pointer pointer : backlog.waiting) {
      const auto event = reader.read(pointer);
      EXPECT_TRUE(event.ok() && event->event);
      if (!event.ok() || !event->event) continue;
      found.emplace_back(event->event->body);
      EXPECT_EQ(event->event->headers.get("n"), event->event->body);
    }
    return found;
  }
  void expect_same() {
    const auto backlog = read();
    ASSERT_TRUE(backlog.ok()) << backlog.status().to_string();
    EXPECT_EQ(bodies(*backlog), flume_.waiting());
  }

  MemoryFileSystem disk_;
  testing::TestEnvironment world_{"c1"};
  FlumeFolder flume_{disk_, kCheckpoint, {"/f/data1", "/f/data2"}};
};

TEST_F(FlumeBacklogTest, WithoutACheckpointAllLogsAreRead) {
  flume_.put({"a", "b", "c"});
  flume_.put({"d"});
  flume_.take(2);
  flume_.put({"e", "f"}, End::rollback);
  flume_.roll();
  flume_.put({"g", "h"});
  flume_.take(1, End::rollback);
  flume_.put({"never"}, End::none);
  flume_.take(1, End::none);
  flume_.save();
  EXPECT_THAT(flume_.waiting(), ElementsAre("c", "d", "g", "h"));
  expect_same();
  EXPECT_EQ(read()->source, "all logs");
}

TEST_F(FlumeBacklogTest, FromACheckpointOn) {
  for (int i = 0; i < 100; ++i) flume_.put({std::to_string(i), std::to_string(i) + "x"});
  flume_.take(7);
  flume_.take(5, End::none);
  flume_.put({"open"}, End::none);
  flume_.checkpoint();
  flume_.put({"behind"});
  flume_.take(3);
  flume_.save();
  EXPECT_EQ(read()->source, "the checkpoint");
  expect_same();
  // What the transactions before it did is not read any more: their logs may be gone but for the events.
  flume_.commit_takes();
  flume_.save();
  expect_same();
}

TEST_F(FlumeBacklogTest, AnOlderCheckpointAndTheBackupPositions) {
  for (int i = 0; i < 20; ++i) flume_.put({std::to_string(i)});
  flume_.checkpoint();
  const auto older = disk_.files();
  flume_.take(3);
  flume_.checkpoint();
  flume_.put({"more"});
  flume_.save();
  for (const char* name : {"checkpoint", "checkpoint.meta", "inflightputs", "inflighttakes"}) {
    const std::string path = std::string("/f/backup/") + name;
    ASSERT_TRUE(disk_.make_directories("/f/backup").ok());
    ASSERT_TRUE(write_file_atomically(disk_, path, older.at(std::string(kCheckpoint) + "/" + name)).ok());
  }
  ASSERT_TRUE(write_file_atomically(disk_, "/f/backup/backupComplete", "").ok());
  disk_.change("/f/checkpoint/checkpoint", [](std::string& content) { content[4 * 8 + 7] = 1; });
  const auto backlog = read("/f/backup");
  ASSERT_TRUE(backlog.ok()) << backlog.status().to_string();
  EXPECT_EQ(backlog->source, "the backup checkpoint");
  EXPECT_EQ(bodies(*backlog), flume_.waiting());
  EXPECT_THAT(world_.log.lines(), Contains(HasSubstr("it was not finished: the backup checkpoint is used")));
}

/// Any damage to any byte of the checkpoint's files is either seen (then all logs are read) or does not matter.
TEST_F(FlumeBacklogTest, ADamagedCheckpointIsThrownAway) {
  for (int i = 0; i < 10; ++i) flume_.put({std::to_string(i)});
  flume_.take(2);
  flume_.take(2, End::none);
  flume_.checkpoint(40);
  flume_.put({"behind"});
  flume_.save();
  const auto saved = disk_.files();
  const auto restore = [&] {
    for (const auto& [path, content] : saved) ASSERT_TRUE(write_file_atomically(disk_, path, content).ok());
  };
  const std::string path = "/f/checkpoint/checkpoint";
  for (const auto& damage : std::vector<std::function<void(std::string&)>>{
           [](std::string& content) { content[7] = 2; }, [](std::string& content) { content[15] ^= 1; },
           [](std::string& content) { content[4 * 8 + 7] = 1; }, [](std::string& content) { content.resize(1029 * 8); },
           [](std::string& content) { content.resize(content.size() - 3); },
           [](std::string& content) { content.clear(); },
           [](std::string& content) { content.replace(1029 * 8, 40 * 8, 40 * 8, '\0'); }}) {
    disk_.change(path, damage);
    expect_same();
    EXPECT_EQ(read()->source, "all logs");
    restore();
  }
  for (const char* name : {"checkpoint.meta", "inflighttakes", "inflightputs"}) {
    disk_.change(std::string("/f/checkpoint/") + name, [](std::string& content) { content[10] ^= 1; });
    expect_same();
    EXPECT_EQ(read()->source, "all logs") << name;
    restore();
  }
  ASSERT_TRUE(disk_.remove("/f/checkpoint/checkpoint.meta").ok());
  expect_same();
}

TEST_F(FlumeBacklogTest, ManyTakesNeedNoMemoryOfAllThatWentThrough) {
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> bodies;
    for (int i = 0; i < 1000; ++i) bodies.push_back(std::to_string(round * 1000 + i));
    flume_.put(bodies);
    flume_.take(round == 199 ? 900 : 1000);
    if (round % 50 == 49) flume_.roll();
  }
  flume_.save();
  expect_same();
  EXPECT_EQ(flume_.waiting().size(), 100u);
}

TEST_F(FlumeBacklogTest, ATornTailIsPassedOver) {
  flume_.put({"a", "b"});
  flume_.put({"c"});
  flume_.save();
  std::string record;
  append_put(record, 1, 2, {}, "half");
  for (const std::string& tail : {record.substr(0, 3), record.substr(0, record.size() - 4), std::string(700, '\0'),
                                  std::string("\x7f\xff\xff\xff\xff"), std::string("junk")}) {
    disk_.change(flume_.path_of(1), [&](std::string& content) { content = flume_.bytes_of(1) + tail; });
    expect_same();
  }
}

TEST_F(FlumeBacklogTest, DamageWithRecordsBehindItIsRefused) {
  flume_.put({"a", "b"});  // in the first log, as every other
  flume_.put({"c"});
  flume_.put({"d"});
  flume_.save();
  std::string once;
  append_put(once, 1, 1, Headers{{"n", "a"}}, "a");
  disk_.change(flume_.path_of(1), [&](std::string& content) { content[once.size() + 2] = 0x55; });
  const auto refused = read();
  EXPECT_EQ(refused.status().code(), Code::corrupt);
  EXPECT_THAT(refused.status().message(), HasSubstr(fmt::format("/f/data1/log-1: damaged at offset {}", once.size())));
  EXPECT_THAT(refused.status().message(), HasSubstr("fcintegritytool"));
}

TEST_F(FlumeBacklogTest, WhatTheIntegrityToolTookOutIsPassedOver) {
  flume_.put({"a", "b"});
  flume_.put({"c"});
  flume_.save();
  disk_.change(flume_.path_of(1), [](std::string& content) { content[0] = '\0'; });
  const auto backlog = read();
  ASSERT_TRUE(backlog.ok()) << backlog.status().to_string();
  EXPECT_THAT(bodies(*backlog), ElementsAre("b", "c"));
}

TEST_F(FlumeBacklogTest, RefusesWhatItCanNotRead) {
  flume_.put({"a"});
  flume_.put({"b"});
  flume_.checkpoint();
  flume_.save();
  const auto saved = disk_.files();
  const auto refusal = [&](const std::string& path, const std::function<void(std::string&)>& change) {
    disk_.change(path, change);
    const Status status = read().status();
    for (const auto& [name, content] : saved) write_file_atomically(disk_, name, content).ignore();
    return status.message();
  };
  std::string encryption;
  put_bytes(encryption, 1, "AESCTRNOPADDING");
  put_bytes(encryption, 2, "key-0");
  EXPECT_THAT(refusal("/f/data1/log-1.meta",
                      [&](std::string& content) {
                        std::string message = content.substr(1);
                        put_bytes(message, 5, encryption);
                        content.clear();
                        put_delimited(content, message);
                      }),
              HasSubstr("/f/data1/log-1 is encrypted with cipher AESCTRNOPADDING, key key-0, which is not read here"));
  EXPECT_THAT(refusal("/f/data1/log-1.meta", [](std::string& content) { content.resize(10); }),
              HasSubstr("log-1.meta is damaged"));
  ASSERT_TRUE(disk_.remove("/f/data1/log-1.meta").ok());
  EXPECT_THAT(read().status().message(), HasSubstr("of a format before Flume 1.3"));
  ASSERT_TRUE(disk_.remove("/f/data1/log-1").ok());
  EXPECT_THAT(read().status().message(), HasSubstr("names events in log-1, which is in none of dataDirs"));
}

}  // namespace
}  // namespace standpipe::file_channel::flume
