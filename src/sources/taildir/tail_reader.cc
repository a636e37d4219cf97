#include "sources/taildir/tail_reader.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/failpoint.h"

namespace standpipe::taildir {

namespace {
constexpr std::size_t kScratchBytes = 64 * 1024;
constexpr std::size_t kSmallestChunk = 4 * 1024;
// Room for the events of one batch is reserved up to this many, and for no more than lines of this size in what was
// read; larger batches grow.
constexpr std::size_t kReserve = 1024;
constexpr std::size_t kUsualLine = 64;

std::size_t end_of_nuls(std::string_view bytes) { return std::min(bytes.find_first_not_of('\0'), bytes.size()); }
}  // namespace

/// One read: `lead` bytes that were read before (they prove the content), then the new ones.
struct TailReader::Chunk {
  std::shared_ptr<Slab> slab;
  std::uint64_t start = 0;  // offset of slab[0] in the file
  std::size_t lead = 0;
  std::size_t size = 0;  // with the lead

  std::string_view text() const { return {slab->data() + lead, size - lead}; }
  std::uint64_t text_offset() const { return start + lead; }
  Mark mark(std::uint64_t offset) const {
    const std::size_t before = static_cast<std::size_t>(offset - start);
    const std::size_t covered = std::min(before, Fingerprint::kTailBytes);
    return {offset, Fingerprint::of({slab->data() + before - covered, covered})};
  }
};

Result<Fingerprint> read_fingerprint(File& file, std::uint64_t offset, std::uint64_t size) {
  char bytes[Fingerprint::kHeadBytes];
  const std::size_t wanted = std::min<std::uint64_t>({size, offset, sizeof bytes});
  TRY_ASSIGN(const std::size_t got, file.read_at(offset - wanted, bytes, wanted));
  return Fingerprint::of({bytes, got});
}

Result<TailReader::Outcome> TailReader::load(TailFile& file, std::uint64_t size, Chunk& chunk) {
  chunk.lead = file.read.tail.size;
  chunk.start = file.read.offset - chunk.lead;
  chunk.slab = Slab::try_make(chunk.lead + size, budget_, MemoryBudget::Use::intake);
  if (chunk.slab == nullptr) return Outcome::no_room;
  TRY_ASSIGN(chunk.size, file.file->read_at(chunk.start, chunk.slab->data(), chunk.lead + size));
  if (chunk.size < chunk.lead) return Outcome::replaced;
  if (Fingerprint::of({chunk.slab->data(), chunk.lead}) != file.read.tail) return Outcome::replaced;
  // NULs of a hole look the same in every content.
  const std::size_t proof = file.skip_nuls ? end_of_nuls({chunk.slab->data(), chunk.size}) : 0;
  TRY_ASSIGN(const bool stands, still_stands(*file.file, chunk, proof));
  if (!stands) return Outcome::replaced;
  FAILPOINT("taildir.after_read");
  return Outcome::read;
}

// Who truncates and writes anew while we read gives us the old content's beginning and the new one's end: what we read
// first, from byte `proof` of the chunk on, must still be there after all of it was read.
Result<bool> TailReader::still_stands(File& file, const Chunk& chunk, std::size_t proof) {
  char again[Fingerprint::kTailBytes];
  const std::size_t size = std::min(chunk.size - proof, sizeof again);
  TRY_ASSIGN(const std::size_t got, file.read_at(chunk.start + proof, again, size));
  return got == size && std::memcmp(again, chunk.slab->data() + proof, size) == 0;
}

// The hole that a writer leaves who kept its offset over a truncation: gigabytes that need not be read.
void TailReader::skip_hole(TailFile& file) {
  const std::uint64_t data = std::min(file.file->next_data(file.read.offset), file.size);
  if (data > file.read.offset) file.read = {data, {}};
}

Result<TailReader::Outcome> TailReader::read(TailFile& file) {
  TRY_ASSIGN(const FileInfo info, file.file->info());
  file.size = info.size;
  if (info.size < file.read.offset) return Outcome::replaced;
  if (file.skip_nuls && file.partial == 0) skip_hole(file);
  if (info.size == file.read.offset) {
    // As long as before, and yet told to look: the content may be another one.
    TRY_ASSIGN(const Fingerprint tail, read_fingerprint(*file.file, file.read.offset, file.read.tail.size));
    return tail == file.read.tail ? Outcome::nothing : Outcome::replaced;
  }
  if (file.partial >= options_.chunk_bytes) return read_long(file);
  const std::uint64_t usual = file.chunk != 0 ? file.chunk : options_.chunk_bytes;
  return read_lines(file, std::min<std::uint64_t>(usual, info.size - file.read.offset));
}

Result<TailReader::Outcome> TailReader::read_lines(TailFile& file, std::uint64_t size) {
  Chunk chunk;
  TRY_ASSIGN(const Outcome loaded, load(file, size, chunk));
  if (loaded != Outcome::read) return loaded;
  const std::uint64_t before = file.read.offset;
  const bool stopped = cut(file, chunk);
  const std::uint64_t end = chunk.start + chunk.size;
  const std::uint64_t consumed = file.read.offset - before;
  // A turn that ends after few batches reads little next time.
  file.chunk = stopped ? std::clamp<std::uint64_t>(consumed * 2, kSmallestChunk, options_.chunk_bytes) : 0;
  if (!stopped) file.partial = end - file.read.offset;
  if (stopped || end < file.size) return Outcome::more;
  return consumed == 0 ? Outcome::nothing : Outcome::read;
}

Batch TailReader::start_batch(const TailFile& file, const Chunk& chunk) const {
  Batch batch;
  batch.reserve(std::min({options_.batch_size, kReserve, chunk.size / kUsualLine + 1}));
  batch.pin(chunk.slab);
  if (!file.headers->empty()) batch.add_headers(file.headers);
  return batch;
}

void TailReader::add(Batch& batch, const TailFile& file, std::string_view line, std::uint64_t offset) {
  Batch::Block block = file.headers->empty() ? Batch::kNoHeaders : 1;
  if (options_.byte_offset_header) {
    Headers headers = *file.headers;
    headers.set("byteoffset", std::to_string(offset));
    block = batch.add_headers(std::move(headers));
  }
  if (add_line(batch, line, block, options_.lines) > 0) ++overlong_lines_;
}

void TailReader::hand_over(TailFile& file, Batch batch, const Chunk& chunk, std::uint64_t end) {
  const Mark mark = chunk.mark(end);
  file.partial = 0;
  deliver_(file, std::move(batch), mark);
}

// Whole batches as long as there are lines, then the rest. Returns whether it stopped before the end of the lines.
bool TailReader::cut(TailFile& file, const Chunk& chunk) {
  std::string_view text = chunk.text();
  std::uint64_t offset = chunk.text_offset();
  if (file.skip_nuls) {
    const std::size_t hole = end_of_nuls(text);
    text.remove_prefix(hole);
    offset += hole;
    file.skip_nuls = text.empty();
    if (hole > 0) file.read = chunk.mark(offset);
    if (text.empty()) return false;
  }
  std::int64_t batches = 0;
  Batch batch = start_batch(file, chunk);
  const std::size_t visited = for_each_line(text, [&](std::size_t begin, std::size_t end) {
    std::string_view line = text.substr(begin, end - begin);
    if (options_.lines.strip_carriage_return) line = without_carriage_return(line);
    add(batch, file, line, offset + begin);
    if (batch.size() < options_.batch_size) return true;
    hand_over(file, std::move(batch), chunk, offset + end + 1);
    batch = start_batch(file, chunk);
    return ++batches < options_.max_batches;
  });
  if (batches >= options_.max_batches) return true;
  if (!batch.empty()) hand_over(file, std::move(batch), chunk, offset + visited);
  return false;
}

// Looks for the end of a line that is longer than a chunk in the new bytes only: each byte is read twice, never more.
Result<TailReader::Outcome> TailReader::read_long(TailFile& file) {
  const std::uint64_t limit = options_.lines.max_length;
  const bool split = options_.lines.overlong == LineOptions::Overlong::split;
  scratch_.resize(kScratchBytes);
  const std::uint64_t at = file.read.offset + file.partial;
  TRY_ASSIGN(const std::size_t size, file.file->read_at(at, scratch_.data(), scratch_.size()));
  const std::size_t feed = std::string_view(scratch_.data(), size).find('\n');
  if (feed != std::string_view::npos) {
    const std::uint64_t length = file.partial + feed + 1;
    if (length > limit + 2) return read_piece(file, limit, split ? limit : length);
    return read_lines(file, length);
  }
  file.partial += size;
  if (split && file.partial > limit + 1) return read_piece(file, limit, limit);
  return at + size < file.size ? Outcome::more : Outcome::nothing;
}

// The next `size` bytes as one event; the position moves by `consumed`.
Result<TailReader::Outcome> TailReader::read_piece(TailFile& file, std::uint64_t size, std::uint64_t consumed) {
  Chunk chunk;
  TRY_ASSIGN(const Outcome loaded, load(file, size, chunk));
  if (loaded != Outcome::read) return loaded;
  Batch batch = start_batch(file, chunk);
  add(batch, file, chunk.text(), chunk.text_offset());
  ++overlong_lines_;
  const std::uint64_t end = file.read.offset + consumed;
  const std::uint64_t partial = file.partial - std::min(file.partial, consumed);
  Mark mark = chunk.mark(chunk.start + chunk.size);
  if (end != mark.offset) {
    TRY_ASSIGN(mark.tail, read_fingerprint(*file.file, end, Fingerprint::kTailBytes));
    mark.offset = end;
  }
  deliver_(file, std::move(batch), mark);
  file.partial = partial;
  return Outcome::more;
}

Result<TailReader::Outcome> TailReader::read_rest(TailFile& file) {
  if (file.size <= file.read.offset) return Outcome::nothing;
  Chunk chunk;
  const std::uint64_t rest = std::min<std::uint64_t>(file.size - file.read.offset, options_.lines.max_length);
  TRY_ASSIGN(const Outcome loaded, load(file, rest, chunk));
  if (loaded != Outcome::read) return loaded;
  const std::string_view text = chunk.text();
  if (text.empty()) return Outcome::nothing;
  // The writer may have been quick: complete lines are read as such.
  if (text.find('\n') != std::string_view::npos) return read(file);
  Batch batch = start_batch(file, chunk);
  add(batch, file, text, chunk.text_offset());
  hand_over(file, std::move(batch), chunk, chunk.start + chunk.size);
  return Outcome::read;
}

Result<TailReader::Outcome> TailReader::reread(TailFile& file, const Mark& begin, const Mark& end, Batch& batch) {
  const std::uint64_t limit = options_.lines.max_length;
  const std::uint64_t length = end.offset - begin.offset;
  // Longer than any chunk: a truncated line, of which only the start is the event.
  const bool truncated = length > std::max<std::uint64_t>(options_.chunk_bytes, limit + 2);
  Chunk chunk;
  chunk.start = begin.offset;
  const std::uint64_t wanted = truncated ? limit : length;
  chunk.slab = Slab::try_make(wanted, budget_, MemoryBudget::Use::intake);
  if (chunk.slab == nullptr) return Outcome::no_room;
  TRY_ASSIGN(chunk.size, file.file->read_at(chunk.start, chunk.slab->data(), wanted));
  if (chunk.size < wanted) return Outcome::replaced;
  // Looked at after the read: until then it was the content that was handed over first.
  TRY_ASSIGN(const Fingerprint tail, read_fingerprint(*file.file, end.offset, end.tail.size));
  if (tail != end.tail) return Outcome::replaced;
  batch = start_batch(file, chunk);
  const std::string_view text = chunk.text();
  const std::size_t visited = for_each_line(text, [&](std::size_t line_begin, std::size_t line_end) {
    std::string_view line = text.substr(line_begin, line_end - line_begin);
    if (options_.lines.strip_carriage_return) line = without_carriage_return(line);
    add(batch, file, line, begin.offset + line_begin);
    return true;
  });
  if (visited < text.size()) add(batch, file, text.substr(visited), begin.offset + visited);
  return Outcome::read;
}

}  // namespace standpipe::taildir
