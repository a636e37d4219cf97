#include "crash/rotating_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include <fmt/format.h>

#include "base/check.h"
#include "crash/agent_life.h"

namespace standpipe::crash {

namespace fs = std::filesystem;

namespace {
constexpr int kTickUs = 2'000;
constexpr int kKept = 3;  // rotated files
}  // namespace

RotatingWriter::RotatingWriter(Options options) : options_(std::move(options)), random_(options_.seed) {
  open();
  begin_content();
}

RotatingWriter::~RotatingWriter() { ::close(descriptor_); }

std::string RotatingWriter::pattern() const {
  if (options_.scheme == "dated") return "app-[0-9]+\\.log";
  return options_.scheme == "rename-kept" ? "app\\.log.*" : "app\\.log";
}

std::string RotatingWriter::line(std::int64_t number) { return fmt::format("{:010}{}\n", number, kPadding); }

std::string RotatingWriter::text_of(std::string_view body) {
  const std::string_view number = body.substr(0, kNumberSize);
  const bool whole = body.size() + 1 == kLineSize && body.ends_with(kPadding) &&
                     number.find_first_not_of("0123456789") == std::string_view::npos;
  return whole ? std::string(number) : "bad";
}

void RotatingWriter::run() {
  const std::int64_t began = steady_us();
  std::int64_t next_rotation = began + rotation_gap();
  std::int64_t owed_since = began;
  while (rotations_ < options_.rotations) {
    const std::int64_t now = steady_us();
    const std::int64_t due = (now - owed_since) * options_.rate / 1'000'000;
    if (due > 0) {
      write(due);
      owed_since += due * 1'000'000 / options_.rate;
    }
    if (now >= next_rotation) {
      rotate();
      next_rotation = now + rotation_gap();
    }
    ::usleep(kTickUs);
  }
  took_us_ = steady_us() - began;
}

std::int64_t RotatingWriter::rotation_gap() {
  return kMeanGapUs - 55'000 + static_cast<std::int64_t>(random_() % 110) * 1000;
}

std::string RotatingWriter::path(int rotation) const {
  return options_.folder + (options_.scheme == "dated" ? fmt::format("/app-{:06}.log", rotation) : "/app.log");
}

void RotatingWriter::begin_content() {
  struct stat info {};
  CHECK(::fstat(descriptor_, &info) == 0);
  contents_.emplace_back();
  contents_.back().inode = info.st_ino;
  contents_.back().first_line = next_line_;
  if (!inodes_.insert(info.st_ino).second) ++reused_inodes_;
}

void RotatingWriter::end_content(std::size_t index) { contents_[index].ended_us.store(steady_us()); }

void RotatingWriter::open() {
  if (descriptor_ >= 0) ::close(descriptor_);
  const int append = options_.scheme == "hole" ? 0 : O_APPEND;
  descriptor_ = ::open(path(rotations_).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | append, 0644);
  CHECK(descriptor_ >= 0);
}

void RotatingWriter::put(std::string_view text) {
  CHECK(::write(descriptor_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

void RotatingWriter::write(std::int64_t lines) {
  std::string text;
  for (std::int64_t i = 0; i < lines; ++i) text += line(next_line_ + i);
  const std::size_t cut = random_() % text.size();
  put(std::string_view(text).substr(0, cut));
  put(std::string_view(text).substr(cut));
  written_.push_back({next_line_, next_line_ + lines, steady_us(), contents_.size() - 1});
  next_line_ += lines;
}

void RotatingWriter::rotate() {
  const std::string& scheme = options_.scheme;
  ++rotations_;
  if (scheme == "copytruncate" || scheme == "hole") return truncate();
  if (scheme == "dated") {
    remove_dated();
  } else if (scheme == "delete") {
    end_content(contents_.size() - 1);
    fs::remove(path(0));
  } else {
    rename();
  }
  open();
  begin_content();
}

void RotatingWriter::truncate() {
  if (options_.scheme == "copytruncate") {
    fs::copy_file(path(0), options_.folder + "/copy.log", fs::copy_options::overwrite_existing);
  }
  end_content(contents_.size() - 1);
  CHECK(::ftruncate(descriptor_, 0) == 0);
  begin_content();
}

void RotatingWriter::remove_dated() {
  if (rotations_ < kKept) return;
  end_content(contents_.size() - kKept);
  fs::remove(path(rotations_ - kKept));
}

void RotatingWriter::rename() {
  // Renaming replaces what was rotated three times ago.
  const bool kept = options_.scheme == "rename-kept";
  if (!kept) end_content(contents_.size() - 1);
  if (kept && rotations_ > kKept) end_content(contents_.size() - 1 - kKept);
  fs::rename(path(0), options_.folder + fmt::format("/app.log.{}", rotations_ % kKept));
}

}  // namespace standpipe::crash
