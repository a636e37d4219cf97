#include "net/deflated_connection.h"

#include <zlib.h>

#include <vector>

#include <fmt/format.h>

#include "net/filter_connection.h"

namespace standpipe {

namespace {

constexpr std::size_t kCompressedAtOnce = 64 * 1024;
constexpr int kPiecesAtOnce = 16;
constexpr int kWindowBits = 15;
constexpr int kSmallWindowBits = 9;  // any inflater takes a smaller one
constexpr int kMemory = 8;
constexpr int kSmallMemory = 1;

class DeflatedConnection final : public FilterConnection {
 public:
  DeflatedConnection(std::unique_ptr<Connection> below, const DeflateOptions& options, Network& network)
      : FilterConnection(std::move(below), network), options_(options) {
    // Only without memory could these fail; then read() and write() say so.
    ready_ = ::inflateInit(&in_) == Z_OK;
    ready_ = ::deflateInit2(&out_, options.level, Z_DEFLATED, options.small ? kSmallWindowBits : kWindowBits,
                            options.small ? kSmallMemory : kMemory, Z_DEFAULT_STRATEGY) == Z_OK &&
             ready_;
  }
  ~DeflatedConnection() override {
    ::inflateEnd(&in_);
    ::deflateEnd(&out_);
  }

  Result<Read> read(char* target, std::size_t room) override {
    if (!ready_) return Status(Code::full, fmt::format("{}: no memory to expand what it sends", peer()));
    in_.next_out = reinterpret_cast<Bytef*>(target);
    in_.avail_out = static_cast<uInt>(std::min<std::size_t>(room, 1 << 30));
    const std::size_t wanted = in_.avail_out;
    // Bounded: a stream of empty blocks would keep the loop here for as long as it comes.
    for (int piece = 0; piece < kPiecesAtOnce; ++piece) {
      TRY(expand());
      if (in_.avail_out == 0 || ended_) break;
      TRY_ASSIGN(const Read more, read_below());
      if (more.end) ended_ = true;
      if (more.size == 0) break;
    }
    const std::size_t size = wanted - in_.avail_out;
    release_input();
    return Read{size, ended_ && !has_more()};
  }

  void write(std::string bytes) override { compress(bytes); }
  void write(std::shared_ptr<const Slab>, std::string_view bytes) override { compress(bytes); }

  // What is below is left alone: it sends one piece while the next is made.
  void cork() override { corked_ = true; }
  void uncork() override {
    corked_ = false;
    if (held_back_) deflate({}, Z_SYNC_FLUSH);
  }

  void finish_writing() override {
    // What stands before the end of the stream was flushed; a reader that waits for the end gets it.
    deflate({}, Z_FINISH);
    below().finish_writing();
  }

 private:
  bool has_more() const override { return in_.avail_in > 0 || full_; }

  /// Expands what there is into the room that is left.
  Status expand() {
    if (in_.avail_in == 0 && !full_) return {};
    if (stream_ended_) {
      // The peer has ended its stream; what follows belongs to nothing.
      in_.avail_in = 0;
      full_ = false;
      return {};
    }
    const int result = ::inflate(&in_, Z_SYNC_FLUSH);
    stream_ended_ = result == Z_STREAM_END;
    full_ = in_.avail_out == 0 && !stream_ended_;  // it may hold back more
    if (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR) return {};
    return {Code::corrupt,
            fmt::format("what it sends is no deflate stream ({}): set compression-type = deflate on both "
                        "sides, or on neither",
                        in_.msg == nullptr ? "damaged" : in_.msg)};
  }

  Result<Read> read_below() {
    input_.resize(kCompressedAtOnce);
    TRY_ASSIGN(const Read read, below().read(input_.data(), input_.size()));
    in_.next_in = reinterpret_cast<Bytef*>(input_.data());
    in_.avail_in = static_cast<uInt>(read.size);
    return read;
  }

  /// An idle connection keeps no buffer.
  void release_input() {
    if (in_.avail_in == 0 && !input_.empty()) std::vector<char>().swap(input_);
  }

  /// Each flush costs bytes, so what is written together has one.
  void compress(std::string_view bytes) {
    if (!bytes.empty()) deflate(bytes, corked_ ? Z_NO_FLUSH : Z_SYNC_FLUSH);
  }

  void deflate(std::string_view bytes, int flush) {
    if (!ready_ || finished_) return;
    finished_ = flush == Z_FINISH;
    held_back_ = flush == Z_NO_FLUSH;
    out_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    out_.avail_in = static_cast<uInt>(bytes.size());
    do {
      std::string piece(std::min<std::size_t>(kCompressedAtOnce, bytes.size() / 2 + 64), '\0');
      out_.next_out = reinterpret_cast<Bytef*>(piece.data());
      out_.avail_out = static_cast<uInt>(piece.size());
      ::deflate(&out_, flush);
      piece.resize(piece.size() - out_.avail_out);
      if (!piece.empty()) below().write(std::move(piece));
    } while (out_.avail_out == 0);
  }

  const DeflateOptions options_;
  z_stream in_{};
  z_stream out_{};
  std::vector<char> input_;
  bool ready_ = false;
  bool full_ = false;  // the room was used up: the stream may hold back more
  bool stream_ended_ = false;
  bool finished_ = false;
  bool corked_ = false;
  bool held_back_ = false;  // there may be bytes in out_ that were not flushed
  bool ended_ = false;      // below
};

}  // namespace

std::unique_ptr<Connection> deflated(std::unique_ptr<Connection> below, const DeflateOptions& options,
                                     Network& network) {
  return std::make_unique<DeflatedConnection>(std::move(below), options, network);
}

}  // namespace standpipe
