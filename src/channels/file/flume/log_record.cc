#include "channels/file/flume/log_record.h"

#include <algorithm>
#include <limits>

#include <zlib.h>

#include "channels/file/flume/protobuf.h"

namespace standpipe::file_channel::flume {

namespace {

constexpr std::uint64_t kVersion = 3;
constexpr std::size_t kTransactionHeader = 23;
constexpr std::uint64_t kMaxInt = std::numeric_limits<std::int32_t>::max();

/// Java's CRC32, in pieces that zlib's counter takes.
std::uint64_t checksum(std::string_view bytes) {
  uLong crc = ::crc32(0, nullptr, 0);
  while (!bytes.empty()) {
    const std::size_t piece = std::min<std::size_t>(bytes.size(), 1u << 30);
    crc = ::crc32(crc, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(piece));
    bytes.remove_prefix(piece);
  }
  return crc;
}

/// What every payload begins with; the rest of it stays in `payload`.
std::optional<LogRecord> take_header(std::string_view& payload) {
  const auto header = take_delimited(payload);
  if (!header) return std::nullopt;
  LogRecord record;
  unsigned found = 0;
  std::uint64_t type = 0;
  FieldReader fields(*header);
  while (const auto field = fields.next()) {
    if (field->is(1, WireType::fixed32)) type = field->value, found |= 1;
    if (field->is(2, WireType::fixed64)) record.transaction = static_cast<std::int64_t>(field->value), found |= 2;
    if (field->is(3, WireType::fixed64)) record.order = static_cast<std::int64_t>(field->value), found |= 4;
  }
  if (fields.damaged() || found != 7 || type < 1 || type > 4) return std::nullopt;
  record.type = static_cast<RecordType>(type);
  return record;
}

bool read_take(std::string_view message, LogRecord& record) {
  std::optional<std::uint64_t> log, offset;
  FieldReader fields(message);
  while (const auto field = fields.next()) {
    if (field->is(1, WireType::fixed32)) log = field->value;
    if (field->is(2, WireType::fixed32)) offset = field->value;
  }
  if (fields.damaged() || !log || !offset || *log > kMaxInt || *offset > kMaxInt) return false;
  record.taken = make_pointer(static_cast<std::uint32_t>(*log), static_cast<std::uint32_t>(*offset));
  return true;
}

bool read_commit(std::string_view message, LogRecord& record) {
  std::uint64_t type = 0;
  FieldReader fields(message);
  while (const auto field = fields.next()) {
    if (field->is(1, WireType::fixed32)) type = field->value;
  }
  if (fields.damaged() || (type != 1 && type != 2)) return false;
  record.committed = static_cast<RecordType>(type);
  return true;
}

bool read_header(std::string_view message, Headers& headers) {
  std::optional<std::string_view> key;
  std::string_view value;  // Flume leaves one out that is null and reads it as empty
  FieldReader fields(message);
  while (const auto field = fields.next()) {
    if (field->is(1, WireType::bytes)) key = field->bytes;
    if (field->is(2, WireType::bytes)) value = field->bytes;
  }
  if (fields.damaged() || !key) return false;
  headers.set(*key, value);
  return true;
}

bool read_event(std::string_view message, LogEvent& event) {
  std::optional<std::string_view> body;
  FieldReader fields(message);
  while (const auto field = fields.next()) {
    if (field->is(1, WireType::bytes) && !read_header(field->bytes, event.headers)) return false;
    if (field->is(2, WireType::bytes)) body = field->bytes;
  }
  event.body = body.value_or(std::string_view());
  return !fields.damaged() && body.has_value();
}

std::size_t field_size(std::string_view bytes) { return 1 + varint_size(bytes.size()) + bytes.size(); }

std::size_t header_size(const Headers::Entry& header) { return field_size(header.first) + field_size(header.second); }

std::size_t event_size(const Headers& headers, std::string_view body) {
  std::size_t size = field_size(body);
  for (const Headers::Entry& header : headers) {
    const std::size_t inner = header_size(header);
    size += 1 + varint_size(inner) + inner;
  }
  return size;
}

void append_big_endian(std::string& to, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) to += static_cast<char>(number >> shift);
}

/// Mark, length, header, and the length of the message whose `size` bytes the caller adds; a footer of one byte
/// follows.
void begin_record(std::string& to, RecordType type, std::int64_t transaction, std::int64_t order, std::size_t size) {
  to += kRecordMark;
  append_big_endian(to, static_cast<std::uint32_t>(1 + kTransactionHeader + varint_size(size) + size + 1));
  put_varint(to, kTransactionHeader);
  put_fixed32(to, 1, static_cast<std::uint32_t>(type));
  put_fixed64(to, 2, static_cast<std::uint64_t>(transaction));
  put_fixed64(to, 3, static_cast<std::uint64_t>(order));
  put_varint(to, size);
}

void append_small(std::string& to, RecordType type, std::int64_t transaction, std::int64_t order,
                  std::string_view message) {
  begin_record(to, type, transaction, order, message.size());
  to += message;
  to += '\0';
}

std::size_t put_message_size(std::size_t event) { return 1 + varint_size(event) + event + 9; }

}  // namespace

std::optional<LogRecord> parse_record(std::string_view payload) {
  auto record = take_header(payload);
  if (!record || record->type == RecordType::put) return record;
  const auto message = take_delimited(payload);
  if (!message) return std::nullopt;
  if (record->type == RecordType::take && !read_take(*message, *record)) return std::nullopt;
  if (record->type == RecordType::commit && !read_commit(*message, *record)) return std::nullopt;
  return record;
}

std::optional<LogEvent> parse_event(std::string_view payload) {
  const auto record = take_header(payload);
  if (!record || record->type != RecordType::put) return std::nullopt;
  const auto message = take_delimited(payload);
  if (!message) return std::nullopt;
  LogEvent event;
  bool found = false;
  std::optional<std::uint64_t> expected;  // a log may have none
  FieldReader fields(*message);
  while (const auto field = fields.next()) {
    if (field->is(1, WireType::bytes)) {
      if (!read_event(field->bytes, event)) return std::nullopt;
      found = true;
    }
    if (field->is(2, WireType::fixed64)) expected = field->value;
  }
  if (fields.damaged() || !found) return std::nullopt;
  if (expected && *expected != checksum(event.body)) return std::nullopt;
  return event;
}

std::size_t put_size(const Headers& headers, std::string_view body) {
  const std::size_t message = put_message_size(event_size(headers, body));
  return kRecordPrefix + 1 + kTransactionHeader + varint_size(message) + message + 1;
}

void append_put(std::string& to, std::int64_t transaction, std::int64_t order, const Headers& headers,
                std::string_view body) {
  const std::size_t event = event_size(headers, body);
  begin_record(to, RecordType::put, transaction, order, put_message_size(event));
  put_varint(to, 1 << 3 | static_cast<std::uint32_t>(WireType::bytes));
  put_varint(to, event);
  for (const Headers::Entry& header : headers) {
    put_varint(to, 1 << 3 | static_cast<std::uint32_t>(WireType::bytes));
    put_varint(to, header_size(header));
    put_bytes(to, 1, header.first);
    put_bytes(to, 2, header.second);
  }
  put_bytes(to, 2, body);
  put_fixed64(to, 2, checksum(body));
  to += '\0';
}

void append_take(std::string& to, std::int64_t transaction, std::int64_t order, Pointer taken) {
  std::string message;
  put_fixed32(message, 1, log_of(taken));
  put_fixed32(message, 2, offset_of(taken));
  append_small(to, RecordType::take, transaction, order, message);
}

void append_rollback(std::string& to, std::int64_t transaction, std::int64_t order) {
  append_small(to, RecordType::rollback, transaction, order, {});
}

void append_commit(std::string& to, std::int64_t transaction, std::int64_t order, RecordType committed) {
  std::string message;
  put_fixed32(message, 1, static_cast<std::uint32_t>(committed));
  append_small(to, RecordType::commit, transaction, order, message);
}

std::optional<LogMeta> parse_log_meta(std::string_view file) {
  const auto message = take_delimited(file);
  if (!message) return std::nullopt;
  LogMeta meta;
  std::uint64_t version = 0;
  unsigned found = 0;
  FieldReader fields(*message);
  while (const auto field = fields.next()) {
    if (field->is(1, WireType::fixed32)) version = field->value;
    if (field->is(2, WireType::fixed32)) meta.log = static_cast<std::uint32_t>(field->value), found |= 1;
    if (field->is(3, WireType::fixed64)) meta.position = field->value, found |= 2;
    if (field->is(4, WireType::fixed64)) meta.order = static_cast<std::int64_t>(field->value), found |= 4;
    if (field->is(6, WireType::fixed64)) meta.backup_position = field->value;
    if (field->is(7, WireType::fixed64)) meta.backup_order = static_cast<std::int64_t>(field->value);
    if (!field->is(5, WireType::bytes)) continue;
    meta.encryption = "encrypted";
    FieldReader inner(field->bytes);
    while (const auto part = inner.next()) {
      if (part->is(1, WireType::bytes)) meta.encryption += " with cipher " + std::string(part->bytes.substr(0, 100));
      if (part->is(2, WireType::bytes)) meta.encryption += ", key " + std::string(part->bytes.substr(0, 100));
    }
  }
  if (fields.damaged() || version != kVersion || found != 7) return std::nullopt;
  return meta;
}

std::string format_log_meta(const LogMeta& meta) {
  std::string message;
  put_fixed32(message, 1, kVersion);
  put_fixed32(message, 2, meta.log);
  put_fixed64(message, 3, meta.position);
  put_fixed64(message, 4, static_cast<std::uint64_t>(meta.order));
  put_fixed64(message, 6, meta.backup_position);
  put_fixed64(message, 7, static_cast<std::uint64_t>(meta.backup_order));
  std::string file;
  put_delimited(file, message);
  return file;
}

std::optional<CheckpointMeta> parse_checkpoint_meta(std::string_view file) {
  const auto message = take_delimited(file);
  if (!message) return std::nullopt;
  CheckpointMeta meta;
  std::uint64_t version = 0;
  unsigned found = 0;
  FieldReader fields(*message);
  while (const auto field = fields.next()) {
    if (field->is(1, WireType::fixed32)) version = field->value;
    if (field->is(2, WireType::fixed64)) meta.order = static_cast<std::int64_t>(field->value), found |= 1;
    if (field->is(3, WireType::fixed32)) meta.size = static_cast<std::uint32_t>(field->value), found |= 2;
    if (field->is(4, WireType::fixed32)) meta.head = static_cast<std::uint32_t>(field->value), found |= 4;
  }
  if (fields.damaged() || version != kVersion || found != 7) return std::nullopt;
  return meta;
}

std::string format_checkpoint_meta(const CheckpointMeta& meta) {
  std::string message;
  put_fixed32(message, 1, kVersion);
  put_fixed64(message, 2, static_cast<std::uint64_t>(meta.order));
  put_fixed32(message, 3, meta.size);
  put_fixed32(message, 4, meta.head);
  std::string file;
  put_delimited(file, message);
  return file;
}

}  // namespace standpipe::file_channel::flume
