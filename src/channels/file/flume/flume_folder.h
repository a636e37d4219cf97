#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "channels/file/flume/checkpoint.h"
#include "channels/file/flume/log_record.h"
#include "io/file_system.h"

namespace standpipe::file_channel::flume {

/// For tests: a channel of Flume's that writes the files a real one writes, byte for byte as far as they are read, and
/// knows what it would deliver.
class FlumeFolder {
 public:
  enum class End : unsigned char { commit, rollback, none };

  FlumeFolder(FileSystem& files, std::string checkpoint, std::vector<std::string> data)
      : files_(files), checkpoint_(std::move(checkpoint)), data_(std::move(data)) {
    files_.make_directories(checkpoint_).ignore();
    for (const std::string& folder : data_) files_.make_directories(folder).ignore();
    roll();
  }

  /// A transaction that puts events with these bodies and the header n=<body>.
  void put(const std::vector<std::string>& bodies, End end = End::commit) {
    Log& log = log_of_transaction();
    std::vector<Pointer> pointers;
    for (const std::string& body : bodies) {
      const Pointer pointer = make_pointer(log.id, static_cast<std::uint32_t>(log.bytes.size()));
      bodies_[pointer] = body;
      put_at_[pointer] = put_at_.size();
      pointers.push_back(pointer);
      append_put(log.bytes, transaction_, ++order_, Headers{{"n", body}}, body);
    }
    finish(log, RecordType::put, end);
    if (end == End::commit) queue_.insert(queue_.end(), pointers.begin(), pointers.end());
    if (end == End::none) open_puts_[transaction_] = pointers;
    ++transaction_;
  }

  void take(std::size_t count, End end = End::commit) {
    Log& log = log_of_transaction();
    std::vector<Pointer> pointers(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
    for (const Pointer pointer : pointers) append_take(log.bytes, transaction_, ++order_, pointer);
    finish(log, RecordType::take, end);
    if (end != End::rollback) queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
    if (end == End::none) open_takes_[transaction_] = pointers;
    ++transaction_;
  }

  /// Ends what take() left open.
  void commit_takes() {
    for (const auto& [transaction, pointers] : open_takes_) {
      append_commit(logs_.at(active_[index_of(transaction)]).bytes, transaction, ++order_, RecordType::take);
    }
    open_takes_.clear();
  }

  /// New logs in all folders.
  void roll() {
    active_.clear();
    for (const std::string& folder : data_) {
      const std::uint32_t id = ++last_log_;
      logs_[id] = {id, folder, {}, {.log = id}};
      active_.push_back(id);
    }
  }

  void checkpoint(std::uint32_t capacity = 1000) {
    ++order_;
    const std::vector<Pointer> queue(queue_.begin(), queue_.end());
    const std::uint32_t head = capacity - 3;  // so that it wraps
    write(checkpoint_ + "/checkpoint", format_checkpoint(order_, head, capacity, queue));
    write(checkpoint_ + "/checkpoint.meta",
          format_checkpoint_meta({order_, static_cast<std::uint32_t>(queue.size()), head}));
    write(checkpoint_ + "/inflightputs", format_in_flight(open_puts_));
    write(checkpoint_ + "/inflighttakes", format_in_flight(open_takes_));
    for (auto& [id, log] : logs_) {
      log.meta.backup_order = log.meta.order;
      log.meta.backup_position = log.meta.position;
      log.meta.order = order_;
      if (std::find(active_.begin(), active_.end(), id) != active_.end()) log.meta.position = log.bytes.size();
    }
  }

  /// The logs, with room behind their records as Flume leaves it.
  void save(std::size_t fill = 1000) {
    for (const auto& [id, log] : logs_) {
      write(path_of(id), log.bytes + std::string(fill, kFillMark));
      write(path_of(id) + ".meta", format_log_meta(log.meta));
    }
  }

  /// What waits, in order.
  std::vector<std::string> waiting() const {
    std::vector<Pointer> pointers;
    for (const auto& [transaction, taken] : open_takes_) pointers.insert(pointers.end(), taken.begin(), taken.end());
    const auto earlier = [this](Pointer a, Pointer b) { return put_at_.at(a) < put_at_.at(b); };
    std::sort(pointers.begin(), pointers.end(), earlier);
    pointers.insert(pointers.end(), queue_.begin(), queue_.end());
    std::vector<std::string> bodies;
    for (const Pointer pointer : pointers) bodies.push_back(bodies_.at(pointer));
    return bodies;
  }

  std::string path_of(std::uint32_t log) const { return logs_.at(log).folder + "/log-" + std::to_string(log); }
  std::string& bytes_of(std::uint32_t log) { return logs_.at(log).bytes; }
  LogMeta& meta_of(std::uint32_t log) { return logs_.at(log).meta; }
  void forget_log(std::uint32_t log) { logs_.erase(log); }

 private:
  struct Log {
    std::uint32_t id;
    std::string folder;
    std::string bytes;
    LogMeta meta;
  };

  std::size_t index_of(std::int64_t transaction) const { return static_cast<std::size_t>(transaction) % data_.size(); }
  Log& log_of_transaction() { return logs_.at(active_[index_of(transaction_)]); }

  void finish(Log& log, RecordType type, End end) {
    if (end == End::commit) append_commit(log.bytes, transaction_, ++order_, type);
    if (end == End::rollback) append_rollback(log.bytes, transaction_, ++order_);
  }

  void write(const std::string& path, std::string_view bytes) {
    write_file_atomically(files_, path, bytes).ignore();  // what can't be written is missed by the test
  }

  FileSystem& files_;
  std::string checkpoint_;
  std::vector<std::string> data_;
  std::map<std::uint32_t, Log> logs_;
  std::vector<std::uint32_t> active_;
  std::uint32_t last_log_ = 0;
  std::int64_t transaction_ = 1'700'000'000'000;
  std::int64_t order_ = 1'700'000'000'000;
  std::deque<Pointer> queue_;
  std::map<Pointer, std::string> bodies_;
  std::map<Pointer, std::size_t> put_at_;
  InFlight open_puts_;
  InFlight open_takes_;
};

}  // namespace standpipe::file_channel::flume
