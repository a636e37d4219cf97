#include "channels/file/flume/checkpoint.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "channels/file/flume/file_window.h"
#include "channels/file/flume/md5.h"

namespace standpipe::file_channel::flume {

namespace {

constexpr std::uint64_t kVersion = 3;
constexpr std::size_t kWord = 8;
constexpr std::size_t kHeaderWords = 1029;
constexpr std::size_t kDigest = 16;
constexpr std::uint64_t kMetaLimit = 1u << 20;
constexpr std::uint64_t kInFlightLimit = 256u << 20;

std::uint64_t load_big_endian(const char* from) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < kWord; ++i) number = number << 8 | static_cast<std::uint8_t>(from[i]);
  return number;
}

void append_big_endian(std::string& to, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) to += static_cast<char>(number >> shift);
}

class CheckpointReader {
 public:
  CheckpointReader(FileWindow window, const CheckpointMeta& meta) : window_(std::move(window)), meta_(meta) {}

  Result<Checkpoint> read() {
    const std::uint64_t words = window_.size() / kWord;
    if (window_.size() % kWord != 0 || words <= kHeaderWords) return bad("its size fits no capacity");
    const std::uint64_t places = words - kHeaderWords;
    TRY_ASSIGN(const std::uint64_t version, word(0));
    TRY_ASSIGN(const std::uint64_t order, word(1));
    TRY_ASSIGN(const std::uint64_t marker, word(4));
    if (version != kVersion) return bad(fmt::format("it has version {}", version));
    if (marker != 0) return bad("it was not finished");
    if (static_cast<std::int64_t>(order) != meta_.order) return bad("its .meta belongs to another one");
    if (meta_.size > places || meta_.head >= places) return bad("its .meta says more than it holds");
    Checkpoint checkpoint;
    checkpoint.order = meta_.order;
    for (std::uint64_t i = 0; i < meta_.size; ++i) {
      TRY_ASSIGN(const Pointer pointer, word(kHeaderWords + (meta_.head + i) % places));
      if (log_of(pointer) == 0) return bad("an entry of the queue is empty");
      checkpoint.queue.push_back(pointer);
    }
    return checkpoint;
  }

 private:
  Result<std::uint64_t> word(std::uint64_t index) {
    TRY_ASSIGN(const std::string_view bytes, window_.read(index * kWord, kWord));
    if (bytes.size() < kWord) return bad("it ends too early");
    return load_big_endian(bytes.data());
  }
  Status bad(std::string_view why) const { return {Code::corrupt, fmt::format("{}: {}", window_.path(), why)}; }

  FileWindow window_;
  CheckpointMeta meta_;
};

Result<InFlight> read_in_flight(FileSystem& files, const std::string& path) {
  const auto bytes = read_file(files, path, kInFlightLimit);
  if (bytes.status().code() == Code::not_found) return InFlight();
  if (!bytes.ok()) return bytes.status();
  auto parsed = parse_in_flight(*bytes);
  if (!parsed) return Status(Code::corrupt, path + ": its checksum does not agree");
  return std::move(*parsed);
}

bool is_missing_or_empty(const Result<FileInfo>& info) { return !info.ok() || info->size == 0; }

}  // namespace

Result<Checkpoint> read_checkpoint(FileSystem& files, const std::string& folder) {
  const std::string path = folder + "/checkpoint";
  const auto there = files.info(path);
  const auto meta_there = files.info(path + ".meta");
  const bool none = is_missing_or_empty(there);
  const bool no_meta = is_missing_or_empty(meta_there);
  if (none && no_meta) return Status(Code::not_found, "there is no checkpoint in " + folder);
  if (none || no_meta) return Status(Code::corrupt, fmt::format("{}{} is missing", path, none ? "" : ".meta"));
  TRY_ASSIGN(const std::string meta_bytes, read_file(files, path + ".meta", kMetaLimit));
  const auto meta = parse_checkpoint_meta(meta_bytes);
  if (!meta) return Status(Code::corrupt, path + ".meta: it makes no sense");
  TRY_ASSIGN(auto window, FileWindow::open(files, path, 256 * 1024));
  TRY_ASSIGN(Checkpoint checkpoint, CheckpointReader(std::move(window), *meta).read());
  if (checkpoint.order == 0) return checkpoint;  // a new one: what else is in the folder is older
  TRY_ASSIGN(checkpoint.puts, read_in_flight(files, folder + "/inflightputs"));
  TRY_ASSIGN(checkpoint.takes, read_in_flight(files, folder + "/inflighttakes"));
  return checkpoint;
}

std::optional<InFlight> parse_in_flight(std::string_view file) {
  InFlight transactions;
  if (file.empty()) return transactions;
  if (file.size() < kDigest) return std::nullopt;
  const auto digest = md5(file.substr(kDigest));
  if (std::memcmp(digest.data(), file.data(), kDigest) != 0) return std::nullopt;
  std::string_view left = file.substr(kDigest);
  while (left.size() >= 2 * kWord) {
    const auto transaction = static_cast<std::int64_t>(load_big_endian(left.data()));
    const std::uint64_t count = load_big_endian(left.data() + kWord);
    left.remove_prefix(2 * kWord);
    if (count > left.size() / kWord) return std::nullopt;
    if (count == 0) continue;  // the zeros at the end
    std::vector<Pointer>& pointers = transactions[transaction];
    for (std::uint64_t i = 0; i < count; ++i) pointers.push_back(load_big_endian(left.data() + i * kWord));
    left.remove_prefix(count * kWord);
  }
  for (auto& [transaction, pointers] : transactions) std::sort(pointers.begin(), pointers.end());
  return transactions;
}

std::string format_in_flight(const InFlight& transactions) {
  std::string data;
  for (const auto& [transaction, pointers] : transactions) {
    append_big_endian(data, static_cast<std::uint64_t>(transaction));
    append_big_endian(data, pointers.size());
    for (const Pointer pointer : pointers) append_big_endian(data, pointer);
  }
  data.append(kDigest, '\0');
  const auto digest = md5(data);
  return std::string(digest.data(), digest.size()) + data;
}

std::string format_checkpoint(std::int64_t order, std::uint32_t head, std::uint32_t capacity,
                              const std::vector<Pointer>& queue) {
  std::vector<std::uint64_t> words(kHeaderWords + capacity);
  words[0] = kVersion;
  words[1] = static_cast<std::uint64_t>(order);
  for (std::size_t i = 0; i < queue.size(); ++i) words[kHeaderWords + (head + i) % capacity] = queue[i];
  std::string file;
  for (const std::uint64_t word : words) append_big_endian(file, word);
  return file;
}

}  // namespace standpipe::file_channel::flume
