#include "channels/file/flume/segment_output.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/clock.h"

namespace standpipe::file_channel::flume {

namespace {
constexpr std::size_t kBatchEvents = 1000;
constexpr std::size_t kBatchBytes = 1u << 20;
}  // namespace

SegmentOutput::SegmentOutput(Environment& environment, Options options)
    : environment_(environment), options_(std::move(options)) {
  for (const std::string& path : options_.folders) folders_.push_back({.path = path});
}

Status SegmentOutput::add(const Headers& headers, std::string_view body) {
  if (batch_.size() >= kBatchEvents || batch_.body_bytes() + body.size() > kBatchBytes) TRY(write_batch());
  if (headers.empty()) {
    block_ = Batch::kNoHeaders;
  } else if (batch_.block(block_) != headers) {
    block_ = batch_.add_headers(headers);
  }
  batch_.add_copy(body, block_);
  return {};
}

Status SegmentOutput::write_batch() {
  if (batch_.empty()) return {};
  if (!can_be_recorded(batch_)) return {Code::invalid, "an event is larger than a record can be (1 GiB)"};
  const Form form = options_.keys.active() == nullptr ? Form::clear : Form::encrypted;
  EncodedPut put(batch_, form, environment_.budget);
  if (writer_ == nullptr || writer_->room() < put.size()) {
    TRY(close_segment());
    TRY(open_segment(put.size()));
  }
  TRY(write_put(put));
  next_ += batch_.size();
  batch_ = Batch();
  block_ = Batch::kNoHeaders;
  return {};
}

Status SegmentOutput::write_put(EncodedPut& put) {
  const std::uint32_t seed = record_seed(options_.channel_id, writer_->id());
  const auto synced = static_cast<std::uint32_t>(writer_->synced());
  if (!cipher_) return writer_->write(put.seal(next_, seed, synced));
  for (std::size_t record = 0; record < put.records(); ++record) {
    encrypted_.resize(put.record_size(record));
    put.encrypt(record, {next_, seed, synced, writer_->end()}, *cipher_, encrypted_.data());
    TRY(writer_->write(encrypted_));
  }
  return {};
}

Result<SegmentOutput::Place> SegmentOutput::choose_folder(std::uint64_t needed) {
  std::string refusal;
  for (std::size_t i = 0; i < folders_.size(); ++i) {
    const std::size_t at = (turn_ + i) % folders_.size();
    TRY_ASSIGN(const std::uint64_t free, environment_.files.free_space(folders_[at].path));
    const std::uint64_t usable = free > options_.minimum_free ? free - options_.minimum_free : 0;
    if (usable >= needed) return Place{at, std::max(needed, std::min(options_.segment_size, usable))};
    refusal = fmt::format("{} bytes are needed in {}: {} are free, and minimumRequiredSpace wants {} of them kept",
                          needed, folders_[at].path, free, options_.minimum_free);
  }
  return Status(Code::full, refusal);
}

Status SegmentOutput::open_segment(std::size_t needed) {
  for (const Folder& folder : folders_) TRY(environment_.files.make_directories(folder.path));
  TRY_ASSIGN(const Place place, choose_folder(kSegmentHeader + needed));
  writing_to_ = place.folder;
  turn_ = writing_to_ + 1;
  const Folder& folder = folders_[writing_to_];
  SegmentHeader header{.channel_id = options_.channel_id,
                       .segment_id = next_id_++,
                       .first = next_,
                       .made_ms = environment_.clock.now_ms(),
                       .size = place.size,
                       .previous_id = folder.last_id,
                       .previous_end = folder.last_end};
  TRY_ASSIGN(cipher_, choose_key(options_.keys, header));
  TRY_ASSIGN(writer_, SegmentWriter::create(environment_.files, folder.path, header));
  return {};
}

Status SegmentOutput::close_segment() {
  if (writer_ == nullptr) return {};
  TRY(writer_->sync());
  TRY(writer_->finish());
  Folder& folder = folders_[writing_to_];
  folder.last_id = writer_->id();
  folder.last_end = writer_->end();
  writer_.reset();
  return {};
}

Status SegmentOutput::finish() {
  TRY(write_batch());
  return close_segment();
}

}  // namespace standpipe::file_channel::flume
