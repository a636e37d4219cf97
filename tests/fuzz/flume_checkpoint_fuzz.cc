// The checkpoint of Flume's file channel: no bytes crash the reader or make it ask for more memory than there are; what
// was read survives being written again. Checksums are put right, so that the fuzzer gets behind them.
//
// The input: how long the first two of three parts are (1 byte each), then checkpoint.meta, the content of an in-flight
// file, and the places of the queue.

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "channels/file/flume/checkpoint.h"
#include "channels/file/flume/md5.h"
#include "io/memory_file_system.h"

using namespace standpipe;
using namespace standpipe::file_channel::flume;

namespace {

void write(FileSystem& files, const std::string& path, std::string_view bytes) {
  CHECK(write_file_atomically(files, path, bytes).ok());
}

std::string with_digest(std::string_view data) {
  const auto digest = md5(data);
  return std::string(digest.data(), digest.size()) + std::string(data);
}

void check_in_flight(std::string_view file) {
  const auto transactions = parse_in_flight(file);
  if (!transactions) return;
  std::size_t pointers = 0;
  for (const auto& [transaction, each] : *transactions) pointers += each.size();
  CHECK(pointers <= file.size() / 8);
  CHECK(parse_in_flight(format_in_flight(*transactions)) == transactions);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view left(reinterpret_cast<const char*>(data), size);
  if (size < 2) return 0;
  const std::size_t meta_size = data[0];
  const std::size_t in_flight_size = data[1];
  left.remove_prefix(2);
  const auto part = [&left](std::size_t wanted) {
    const std::string_view piece = left.substr(0, wanted);
    left.remove_prefix(piece.size());
    return piece;
  };
  const std::string_view meta_bytes = part(meta_size);
  const std::string in_flight = with_digest(part(in_flight_size));
  check_in_flight(in_flight);
  check_in_flight(left);
  const auto meta = parse_checkpoint_meta(meta_bytes);
  MemoryFileSystem disk;
  CHECK(disk.make_directories("/c").ok());
  write(disk, "/c/checkpoint.meta", meta_bytes);
  write(disk, "/c/checkpoint", format_checkpoint(meta ? meta->order : 0, 0, 0, {}) + std::string(left));
  write(disk, "/c/inflightputs", in_flight);
  write(disk, "/c/inflighttakes", in_flight);
  const auto checkpoint = read_checkpoint(disk, "/c");
  if (!checkpoint.ok()) return 0;
  CHECK(meta && checkpoint->order == meta->order && checkpoint->queue.size() == meta->size);
  CHECK(checkpoint->queue.size() <= left.size() / 8);
  const auto again = parse_checkpoint_meta(format_checkpoint_meta(*meta));
  CHECK(again && again->order == meta->order && again->size == meta->size && again->head == meta->head);
  return 0;
}
