#include "core/quarantine.h"

#include <cstdint>

#include <fmt/format.h>

#include "base/clock.h"

namespace standpipe {

namespace {

/// A component's name as part of a file name: it never leaves the directory.
std::string file_name(std::string_view component) {
  std::string name(component);
  for (char& c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '/' || byte < 0x20 || byte == 0x7f) c = '_';
  }
  if (name.empty() || name.front() == '.') name.insert(name.begin(), '_');
  return name;
}

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (int shift = 18; shift >= 0; shift -= 6) text.push_back(kDigits[group >> shift & 63]);
  }
  const std::size_t padding = (3 - bytes.size() % 3) % 3;
  for (std::size_t i = 0; i < padding; ++i) text[text.size() - 1 - i] = '=';
  return text;
}

/// Length of the UTF-8 sequence at the front of `text`; 0: it is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xc2 && first < 0xe0   ? 2
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xf0 && first < 0xf5 ? 4
                                                             : 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies above U+10FFFF.
  if (first == 0xe0 && byte(1) < 0xa0) return 0;
  if (first == 0xed && byte(1) >= 0xa0) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) >= 0x90) return 0;
  return length;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string json(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      quoted += fmt::format("\\u{:04x}", byte);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

/// Messages are ours but may quote input.
std::string json_message(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0)
      clean += "\xef\xbf\xbd";
    else
      clean += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return json(clean);
}

std::string json_headers(const Headers& headers) {
  bool readable = true;
  for (const auto& [name, value] : headers) readable = readable && is_utf8(name) && is_utf8(value);
  std::string text = readable ? "\"headers\":{" : "\"headersBase64\":{";
  bool first = true;
  for (const auto& [name, value] : headers) {
    if (!first) text += ',';
    first = false;
    text += readable ? json(name) + ':' + json(value) : json(base64(name)) + ':' + json(base64(value));
  }
  return text + '}';
}

}  // namespace

DeadLetterFile::DeadLetterFile(Environment& environment)
    : environment_(environment),
      directory_(environment.state_dir + "/dead-letter"),
      path_(directory_ + "/" + file_name(environment.component) + ".jsonl") {}

Status DeadLetterFile::open() {
  if (file_ != nullptr) return {};
  FileSystem& files = environment_.files;
  TRY(files.make_directories(directory_));
  TRY_ASSIGN(auto file, files.open(path_, FileSystem::Mode::append, 0600));
  TRY(files.sync_directory(directory_));
  TRY_ASSIGN(const FileInfo info, file->info());
  if (info.size > 0) {
    // Only the last byte matters: a line without its end is a torn one. An append-only descriptor may not read.
    TRY_ASSIGN(const auto reader, files.open(path_, FileSystem::Mode::read));
    char last = '\n';
    TRY_ASSIGN(const std::size_t got, reader->read_at(info.size - 1, &last, 1));
    torn_ = got == 1 && last != '\n';
  }
  file_ = std::move(file);
  return {};
}

Status DeadLetterFile::put(const EventRef& event, const Status& reason) {
  const std::string line =
      fmt::format("{{\"time\":{},\"agent\":{},\"component\":{},\"reason\":{},{},\"body\":\"{}\"}}\n",
                  environment_.clock.now_ms(), json_message(environment_.agent), json_message(environment_.component),
                  json_message(reason.message()), json_headers(*event.headers), base64(event.body));
  std::lock_guard lock(mutex_);
  const auto append = [&]() -> Status {
    TRY(open());
    TRY(file_->write(torn_ ? "\n" + line : line));
    torn_ = false;
    return file_->sync();
  };
  const Status status = append();
  if (status.ok()) return {};
  // After a failed sync nothing is known about the file: the next put opens it anew and looks at its end.
  file_.reset();
  return status.with_context("dead-letter file " + path_);
}

}  // namespace standpipe
