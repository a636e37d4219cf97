#include "codec/sequence_file/sequence_file_writer.h"

#include <limits>
#include <random>

namespace standpipe {

namespace {

constexpr std::string_view kMagic = "SEQ\x06";
constexpr std::string_view kKeyClass = "org.apache.hadoop.io.LongWritable";
constexpr std::string_view kBytesClass = "org.apache.hadoop.io.BytesWritable";
constexpr std::string_view kTextClass = "org.apache.hadoop.io.Text";
constexpr std::uint32_t kKeyBytes = 8;
constexpr std::size_t kLongestValue = std::numeric_limits<std::int32_t>::max() - 64;

void append_big_endian(std::uint64_t value, int bytes, std::string& out) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift & 0xFF));
}

void append_string(std::string_view text, std::string& out) {
  append_hadoop_vint(static_cast<std::int64_t>(text.size()), out);
  out.append(text);
}

int vint_bytes(std::int64_t value) {
  std::string bytes;
  append_hadoop_vint(value, bytes);
  return static_cast<int>(bytes.size());
}

}  // namespace

void append_hadoop_vint(std::int64_t value, std::string& out) {
  if (value >= -112 && value <= 127) {
    out.push_back(static_cast<char>(value));
    return;
  }
  const bool negative = value < 0;
  const auto magnitude = static_cast<std::uint64_t>(negative ? ~value : value);
  int bytes = 1;
  while (bytes < 8 && magnitude >> (bytes * 8) != 0) ++bytes;
  out.push_back(static_cast<char>((negative ? -120 : -112) - bytes));
  append_big_endian(magnitude, bytes, out);
}

SequenceFileWriter::SequenceFileWriter(Options options, const Marker& marker) : options_(options), marker_(marker) {
  if (options_.codec.codec != HadoopCodec::none) compressor_ = make_compressor(options_.codec.codec);
}

SequenceFileWriter::Marker SequenceFileWriter::random_marker() {
  std::random_device random;
  Marker marker;
  for (char& byte : marker) byte = static_cast<char>(random());
  return marker;
}

void SequenceFileWriter::header(std::string& out) {
  const std::size_t before = out.size();
  out.append(kMagic);
  append_string(kKeyClass, out);
  append_string(options_.value == Value::text ? kTextClass : kBytesClass, out);
  const bool compressed = compressor_ != nullptr;
  out.push_back(compressed ? 1 : 0);
  out.push_back(compressed ? 1 : 0);  // by blocks; records are never compressed one by one
  if (compressed) append_string(options_.codec.class_name, out);
  append_big_endian(0, 4, out);  // no metadata
  out.append(marker_.data(), marker_.size());
  advance(out, before);
}

void SequenceFileWriter::write_marker(std::string& out) {
  append_big_endian(0xFFFFFFFF, 4, out);
  out.append(marker_.data(), marker_.size());
}

Status SequenceFileWriter::append(std::int64_t key, std::string_view value, std::string& out) {
  if (value.size() > kLongestValue) return {Code::poison, "a body of 2 GiB or more fits no SequenceFile record"};
  return compressor_ == nullptr ? append_record(key, value, out) : append_to_block(key, value, out);
}

Status SequenceFileWriter::append_record(std::int64_t key, std::string_view value, std::string& out) {
  if (position_ >= last_marker_ + options_.sync_interval) TRY(sync(out));
  const std::size_t before = out.size();
  const bool text = options_.value == Value::text;
  const auto size = static_cast<std::int64_t>(value.size());
  const int prefix = text ? vint_bytes(size) : 4;
  append_big_endian(kKeyBytes + static_cast<std::uint64_t>(prefix) + value.size(), 4, out);
  append_big_endian(kKeyBytes, 4, out);
  append_big_endian(static_cast<std::uint64_t>(key), 8, out);
  if (text) {
    append_hadoop_vint(size, out);
  } else {
    append_big_endian(value.size(), 4, out);
  }
  out.append(value);
  advance(out, before);
  return {};
}

Status SequenceFileWriter::append_to_block(std::int64_t key, std::string_view value, std::string& out) {
  ++block_records_;
  append_hadoop_vint(kKeyBytes, key_lengths_);
  append_big_endian(static_cast<std::uint64_t>(key), 8, keys_);
  const std::size_t before = values_.size();
  if (options_.value == Value::text) {
    append_hadoop_vint(static_cast<std::int64_t>(value.size()), values_);
  } else {
    append_big_endian(value.size(), 4, values_);
  }
  values_.append(value);
  append_hadoop_vint(static_cast<std::int64_t>(values_.size() - before), value_lengths_);
  return keys_.size() + values_.size() >= options_.block_size ? sync(out) : Status();
}

Status SequenceFileWriter::sync(std::string& out) {
  const std::size_t before = out.size();
  if (compressor_ != nullptr) {
    if (block_records_ > 0) TRY(write_block(out));
    advance(out, before);
    return {};
  }
  if (position_ == last_marker_) return {};  // nothing was written since
  write_marker(out);
  advance(out, before);
  last_marker_ = position_;
  return {};
}

Status SequenceFileWriter::write_block(std::string& out) {
  write_marker(out);
  append_hadoop_vint(block_records_, out);
  TRY(write_section(key_lengths_, out));
  TRY(write_section(keys_, out));
  TRY(write_section(value_lengths_, out));
  TRY(write_section(values_, out));
  block_records_ = 0;
  return {};
}

Status SequenceFileWriter::write_section(std::string& section, std::string& out) {
  compressed_.clear();
  TRY(compressor_->write(section, compressed_));
  TRY(compressor_->finish(compressed_));
  append_hadoop_vint(static_cast<std::int64_t>(compressed_.size()), out);
  out.append(compressed_);
  section.clear();
  return {};
}

}  // namespace standpipe
