#include "sources/exec/output_lines.h"

namespace standpipe {

OutputLines::OutputLines(MemoryBudget& budget, TextDecoder decoder, std::size_t max_line)
    : budget_(budget), decoder_(std::move(decoder)), max_line_(max_line), buffer_(budget) {}

void OutputLines::filled(std::size_t size) {
  if (size == 0) return;
  buffer_.filled(size);
  if (skip_line_feed_ && buffer_.unread().front() == '\n') buffer_.take(1);
  skip_line_feed_ = false;
}

bool OutputLines::take_into(Batch& batch, bool at_end) {
  const std::string_view text = buffer_.unread();
  const std::size_t last = text.substr(scanned_).find_last_of("\r\n");
  if (last != std::string_view::npos) {
    const std::size_t size = scanned_ + last + 1;
    skip_line_feed_ = size == text.size() && text.back() == '\r';
    split(buffer_.take(size), batch);
  }
  const std::size_t rest = buffer_.unread().size();
  const bool cut = rest >= max_line_;
  if (rest > 0 && (at_end || cut)) {
    const StreamBuffer::Part part = buffer_.take(rest);
    batch.pin(part.slab);
    add(part.bytes, false, batch);
  }
  scanned_ = buffer_.unread().size();
  buffer_.release_if_empty();
  return !cut;
}

/// `part` ends with a line end.
void OutputLines::split(const StreamBuffer::Part& part, Batch& batch) {
  batch.pin(part.slab);
  const bool plain = decoder_.is_plain(part.bytes);
  const bool only_line_feeds = part.bytes.find('\r') == std::string_view::npos;
  for (std::string_view rest = part.bytes; !rest.empty();) {
    const std::size_t size = only_line_feeds ? rest.find('\n') : rest.find_first_of("\r\n");
    add(rest.substr(0, size), plain, batch);
    rest.remove_prefix(rest.substr(size).starts_with("\r\n") ? size + 2 : size + 1);
  }
}

void OutputLines::add(std::string_view line, bool plain, Batch& batch) {
  if (plain || decoder_.is_plain(line)) {
    batch.add(line);
  } else {
    batch.add_copy(decoder_.decode(line), Batch::kNoHeaders, &budget_);
  }
}

}  // namespace standpipe
