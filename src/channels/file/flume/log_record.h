#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "standpipe/headers.h"

/// The records of Flume's log files as values: docs/formats/flume-file-channel.md. No I/O.
namespace standpipe::file_channel::flume {

inline constexpr char kRecordMark = 0x7f;
inline constexpr char kNothingMark = 0x00;  ///< a record that Flume's integrity tool took out
inline constexpr char kFillMark = static_cast<char>(0x80);
/// Mark and length before a record's payload.
inline constexpr std::size_t kRecordPrefix = 5;
/// What comes before a Put in its payload; the other kinds are no longer than kSmallPayload in all.
inline constexpr std::size_t kSmallPayload = 64;

/// Where an event stands: number of the log in the upper half, offset of its record in the lower one.
using Pointer = std::uint64_t;
constexpr Pointer make_pointer(std::uint32_t log, std::uint32_t offset) { return std::uint64_t{log} << 32 | offset; }
constexpr std::uint32_t log_of(Pointer pointer) { return static_cast<std::uint32_t>(pointer >> 32); }
constexpr std::uint32_t offset_of(Pointer pointer) { return static_cast<std::uint32_t>(pointer); }

enum class RecordType : std::uint32_t { put = 1, take = 2, rollback = 3, commit = 4 };

struct LogRecord {
  RecordType type = RecordType::put;
  std::int64_t transaction = 0;
  std::int64_t order = 0;                  ///< when it was written, among all logs
  Pointer taken = 0;                       ///< of a take
  RecordType committed = RecordType::put;  ///< of a commit: put or take
};

/// The payload of a record, at least its first kSmallPayload bytes; the event of a put is not looked at. None: damaged.
std::optional<LogRecord> parse_record(std::string_view payload);

struct LogEvent {
  Headers headers;
  std::string_view body;  ///< lies in the payload
};
/// The event of a put. None: it is damaged, its checksum does not agree, or it is no put.
std::optional<LogEvent> parse_event(std::string_view payload);

/// Whole records, with mark and length, added to `to`.
void append_put(std::string& to, std::int64_t transaction, std::int64_t order, const Headers& headers,
                std::string_view body);
void append_take(std::string& to, std::int64_t transaction, std::int64_t order, Pointer taken);
void append_rollback(std::string& to, std::int64_t transaction, std::int64_t order);
void append_commit(std::string& to, std::int64_t transaction, std::int64_t order, RecordType committed);
/// The bytes that append_put() adds.
std::size_t put_size(const Headers& headers, std::string_view body);

/// log-<N>.meta.
struct LogMeta {
  std::uint32_t log = 0;
  std::uint64_t position = 0;  ///< what stands before it was in the checkpoint with `order`
  std::int64_t order = 0;
  std::uint64_t backup_position = 0;
  std::int64_t backup_order = 0;
  std::string encryption = {};  ///< "encrypted with cipher AESCTRNOPADDING, key k1"; empty: not encrypted
};
std::optional<LogMeta> parse_log_meta(std::string_view file);
std::string format_log_meta(const LogMeta& meta);

/// checkpoint.meta.
struct CheckpointMeta {
  std::int64_t order = 0;
  std::uint32_t size = 0;
  std::uint32_t head = 0;
};
std::optional<CheckpointMeta> parse_checkpoint_meta(std::string_view file);
std::string format_checkpoint_meta(const CheckpointMeta& meta);

}  // namespace standpipe::file_channel::flume
