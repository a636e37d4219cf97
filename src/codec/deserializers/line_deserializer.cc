#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "codec/charset.h"
#include "codec/deserializers/deserializer.h"
#include "codec/lines/line_splitter.h"
#include "codec/utf8.h"

namespace standpipe {

namespace {

constexpr std::size_t kChunkBytes = 256 * 1024;
constexpr std::size_t kBytesOfUnit = 4;  // of a UTF-16 unit in any charset, at most
constexpr std::size_t kSpare = 64;
constexpr std::size_t kShareOfMemory = 4;  // of the intake: what one chunk may take

/// One event a line. Whole chunks of valid UTF-8 become slices of the chunk; only what needs another charset, has
/// malformed bytes or is too long is copied. As Flume does it, a line longer than the limit comes in pieces, and one
/// whose length is a multiple of the limit is followed by an empty event.
class LineDeserializer final : public Deserializer {
 public:
  LineDeserializer(DeserializerInput input, Charset in, Charset out, std::size_t max_length)
      : input_(std::move(input)),
        in_(std::move(in)),
        decoder_(in_, input_.on_error),
        encoder_(out, OnMalformed::replace),
        utf8_(in_.is_utf8() && out.is_utf8()),
        max_length_(max_length) {}

  Status read(Batch& batch, std::size_t max_events) override {
    block_ = input_.headers->empty() ? Batch::kNoHeaders : batch.add_headers(input_.headers);
    batch.reserve(std::min<std::size_t>(max_events, 1024));
    while (batch.size() < max_events && mark_.offset < input_.size) {
      if (mark_.offset >= good_until_) TRY(load());
      TRY(read_chunk(batch, max_events));
    }
    return {};
  }

  DeserializerMark mark() const override { return mark_; }

  Status seek(const DeserializerMark& mark) override {
    mark_ = mark;
    slab_ = nullptr;
    slab_size_ = 0;
    good_until_ = 0;
    return {};
  }

 private:
  std::string_view text() const {
    const std::uint64_t skip = mark_.offset - slab_start_;
    return {slab_->data() + skip, static_cast<std::size_t>(good_until_ - mark_.offset)};
  }

  // The next chunk, from the current line on; a larger one where it holds no whole line.
  Status load() {
    for (std::size_t size = kChunkBytes;; size *= 2) {
      TRY(load(std::min(size, most_bytes())));
      if (good_until_ > slab_start_) return {};
    }
  }

  // The part of a line that the last chunk ended with is copied.
  Status load(std::size_t size) {
    const std::uint64_t wanted = std::min<std::uint64_t>(size, input_.size - mark_.offset);
    auto slab = Slab::try_make(wanted, input_.budget, MemoryBudget::Use::intake);
    if (slab == nullptr) return {Code::full, "the memory budget has no room for the next part of " + input_.name};
    const std::uint64_t slab_end = slab_start_ + slab_size_;
    const bool tail_known = slab_ != nullptr && mark_.offset >= slab_start_ && mark_.offset < slab_end;
    const std::size_t tail = tail_known ? static_cast<std::size_t>(slab_end - mark_.offset) : 0;
    if (tail > 0) std::memcpy(slab->data(), slab_->data() + (mark_.offset - slab_start_), tail);
    TRY_ASSIGN(const std::size_t more, input_.file.read_at(mark_.offset + tail, slab->data() + tail, wanted - tail));
    if (more < wanted - tail) {
      return {Code::corrupt, fmt::format("{} became shorter while it was read", input_.name)};
    }
    slab_ = std::move(slab);
    slab_start_ = mark_.offset;
    slab_size_ = wanted;
    find_good();
    return {};
  }

  // Enough for the longest line.
  std::size_t most_bytes() const { return std::max<std::size_t>(kChunkBytes, max_length_ * kBytesOfUnit + kSpare); }

  // How much of the chunk can be given out: whole lines; at the end of the file all; of the largest chunk whole pieces
  // of a long line; else nothing.
  void find_good() {
    const std::string_view all(slab_->data(), slab_size_);
    std::size_t good = all.size();
    if (slab_start_ + all.size() < input_.size) {
      const std::size_t feed = last_line_feed(all);
      good = feed > 0                    ? feed
             : all.size() < most_bytes() ? 0
                                         : std::max<std::size_t>(in_.whole_pieces(all, max_length_), in_.unit());
    }
    good_until_ = slab_start_ + good;
    plain_ = utf8_ && utf8::is_valid(all.substr(0, good));
  }

  // The offset behind the last line feed; 0: there is none.
  std::size_t last_line_feed(std::string_view text) const {
    const std::size_t unit = in_.unit();
    if (unit == 1) return text.rfind('\n') + 1;
    for (std::size_t at = text.size() / unit * unit; at >= unit; at -= unit) {
      if (in_.is_line_feed(text.data() + at - unit)) return at;
    }
    return 0;
  }

  Status read_chunk(Batch& batch, std::size_t max_events) {
    batch.pin(slab_);
    if (in_.unit() > 1) return read_wide(batch, max_events);
    const std::string_view text = this->text();
    const std::uint64_t start = mark_.offset;
    Status status;
    const std::size_t visited = for_each_line(text, [&](std::size_t begin, std::size_t end) {
      status = add(batch, text.substr(begin, end - begin), true);
      if (!status.ok()) return false;
      mark_.offset = start + end + 1;
      return batch.size() < max_events;
    });
    TRY(status);
    if (batch.size() >= max_events || visited == text.size()) return {};
    TRY(add(batch, text.substr(visited), false));
    mark_.offset = start + text.size();
    return {};
  }

  // Two or four bytes a unit: rare enough to look at one after the other.
  Status read_wide(Batch& batch, std::size_t max_events) {
    while (batch.size() < max_events && mark_.offset < good_until_) {
      const std::string_view text = this->text();
      const std::size_t unit = in_.unit();
      std::size_t end = 0;
      while (end + unit <= text.size() && !in_.is_line_feed(text.data() + end)) end += unit;
      const bool feed = end + unit <= text.size();
      const std::string_view line = feed ? text.substr(0, end) : text;
      TRY(add(batch, line, feed));
      mark_.offset += line.size() + (feed ? unit : 0);
    }
    return {};
  }

  Status add(Batch& batch, std::string_view line, bool feed) {
    if (plain_ && line.size() < max_length_) [[likely]] {
      batch.add(line, block_);
      ++mark_.events;
      return {};
    }
    decoded_.clear();
    decoder_.reset();
    if (const auto used = decoder_.decode(line, decoded_); !used.ok()) {
      return {Code::corrupt,
              fmt::format("{}: line at offset {}: {}", input_.name, mark_.offset, used.status().message())};
    }
    std::string_view rest = decoded_;
    std::size_t units = 0;
    do {
      const std::size_t size = utf8::utf16_prefix(rest, max_length_);
      units = utf8::utf16_units(rest.substr(0, size));
      TRY(add_copy(batch, rest.substr(0, size)));
      rest.remove_prefix(size);
    } while (!rest.empty());
    if (feed && units >= max_length_) TRY(add_copy(batch, {}));
    return {};
  }

  Status add_copy(Batch& batch, std::string_view text) {
    encoded_.clear();
    TRY(encoder_.encode(text, encoded_));
    batch.add_copy(encoded_, block_, &input_.budget);
    ++mark_.events;
    return {};
  }

  DeserializerInput input_;
  const Charset in_;
  CharsetDecoder decoder_;
  CharsetEncoder encoder_;
  const bool utf8_;               // in and out
  const std::size_t max_length_;  // UTF-16 units
  Batch::Block block_ = Batch::kNoHeaders;
  DeserializerMark mark_;
  std::shared_ptr<Slab> slab_;
  std::uint64_t slab_start_ = 0;
  std::size_t slab_size_ = 0;
  std::uint64_t good_until_ = 0;
  bool plain_ = false;  // the good part is valid UTF-8 and stays so
  std::string decoded_;
  std::string encoded_;
};

constexpr Option kOptions[] = {
    {.name = "maxLineLength",
     .kind = Kind::integer,
     .fallback = "2048",
     .help = "longer lines come in pieces of that many characters (UTF-16 units, as in Java)",
     .min = 1,
     .max = 64 << 20},
    {.name = "outputCharset", .kind = Kind::charset, .fallback = "UTF-8", .help = "charset of the event bodies"},
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.serialization.LineDeserializer$Builder"};

Result<std::unique_ptr<Deserializer>> create(const Settings& settings, DeserializerInput input) {
  TRY_ASSIGN(Charset in, Charset::find(input.charset));
  TRY_ASSIGN(Charset out, Charset::find(settings.text("outputCharset")));
  auto longest = static_cast<std::size_t>(settings.integer("maxLineLength"));
  const std::size_t most = input.budget.intake_limit() / kShareOfMemory / kBytesOfUnit;
  if (longest > most) {
    input.log.warn(
        fmt::format("maxLineLength {} is more than the memory allows: longer lines come in pieces of {}; "
                    "raise -Xmx",
                    longest, most));
    longest = most;
  }
  return std::unique_ptr<Deserializer>(
      std::make_unique<LineDeserializer>(std::move(input), std::move(in), std::move(out), longest));
}

}  // namespace

const ComponentInfo kLineDeserializerInfo{
    .kind = ComponentKind::deserializer,
    .name = "line",
    .class_names = kClassNames,
    .summary = "One event a line.",
    .options = kOptions,
};
const DeserializerFactory kLineDeserializer{&kLineDeserializerInfo, create};

}  // namespace standpipe
