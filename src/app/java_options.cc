#include "app/java_options.h"

#include <cstdio>
#include <cstdlib>
#include <memory>

#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/text.h"

namespace standpipe {

namespace {

constexpr std::uint64_t kFlumesOwnHeap = 20u << 20;  // what conf/flume-env.sh and the script fall back to

/// Splits as a POSIX shell does for plain words, 'single' and "double" quotes and backslashes.
std::vector<std::string> shell_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool open = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      word.push_back(text[++i]);
      open = true;
    } else if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word.push_back(c);
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      open = true;
    } else if (static_cast<unsigned char>(c) <= ' ') {
      if (open) words.push_back(std::move(word));
      word.clear();
      open = false;
    } else {
      word.push_back(c);
      open = true;
    }
  }
  if (open) words.push_back(std::move(word));
  return words;
}

/// The script's output: JAVA_OPTS, FLUME_JAVA_OPTS and then the exported environment, each ended by a NUL. A script
/// whose last command fails is none of our business; one that bash can't parse is.
constexpr const char* kReadScript =
    R"(exec 3>&1 1>&2; . "$1" || bash -n "$1" 2>/dev/null || bad=1; printf '%s\0%s\0' "${JAVA_OPTS-}" "${FLUME_JAVA_OPTS-}" >&3
env -0 >&3; exit ${bad:-0})";

std::optional<std::string> run_script(const std::string& path) {
  int ends[2];
  if (::pipe(ends) != 0) return std::nullopt;
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    ::execlp("bash", "bash", "-c", kReadScript, "bash", path.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(ends[1]);
  std::string output;
  char buffer[4096];
  ssize_t n = 0;
  while (child > 0 && (n = ::read(ends[0], buffer, sizeof buffer)) > 0)
    output.append(buffer, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0) return std::nullopt;
  return output;
}

}  // namespace

std::optional<std::uint64_t> parse_heap_size(std::string_view text) {
  unsigned shift = 0;
  if (!text.empty()) {
    switch (text.back()) {
      case 'k':
      case 'K': shift = 10; break;
      case 'm':
      case 'M': shift = 20; break;
      case 'g':
      case 'G': shift = 30; break;
      case 't':
      case 'T': shift = 40; break;
      default: break;
    }
  }
  if (shift != 0) text.remove_suffix(1);
  const auto number = parse_integer(text);
  if (!number || *number <= 0 || *number > (std::int64_t{1} << (62 - shift))) return std::nullopt;
  return static_cast<std::uint64_t>(*number) << shift;
}

bool JavaOptions::take(std::string_view argument) {
  if (argument.starts_with("-D")) {
    const std::string_view pair = argument.substr(2);
    const std::size_t equals = pair.find('=');
    const std::string_view value = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
    properties.insert_or_assign(std::string(pair.substr(0, equals)), std::string(value));
    return true;
  }
  if (argument.starts_with("-Xmx")) {
    const auto bytes = parse_heap_size(argument.substr(4));
    if (bytes && *bytes != kFlumesOwnHeap) heap_bytes = bytes;
    if (!bytes) without_effect.emplace_back(argument);
    return true;
  }
  for (const std::string_view prefix : {"-X", "-agentlib", "-agentpath", "-javaagent", "-server", "-client", "-verbose",
                                        "-ea", "-enableassertions", "--add-opens", "--add-exports"}) {
    if (!argument.starts_with(prefix)) continue;
    without_effect.emplace_back(argument);
    return true;
  }
  return false;
}

void JavaOptions::take_words(std::string_view words) {
  for (const std::string& word : shell_words(words)) {
    if (!take(word)) without_effect.push_back(word);
  }
}

std::vector<std::string> read_environment_script(const std::string& conf_dir, JavaOptions& options) {
  const std::string path = conf_dir + "/flume-env.sh";
  if (conf_dir.empty() || ::access(path.c_str(), R_OK) != 0) {
    for (const char* name : {"JAVA_OPTS", "FLUME_JAVA_OPTS"}) {
      if (const char* words = std::getenv(name)) options.take_words(words);
    }
    return {};
  }
  const auto output = run_script(path);
  if (!output) return {fmt::format("Warning: {} failed; its settings are not used", path)};
  std::vector<std::string_view> parts = split(*output, '\0');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i < 2) {
      options.take_words(parts[i]);
      continue;
    }
    const std::size_t equals = parts[i].find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    ::setenv(std::string(parts[i].substr(0, equals)).c_str(), std::string(parts[i].substr(equals + 1)).c_str(), 1);
  }
  return {fmt::format("Info: Sourcing environment configuration script {}", path)};
}

}  // namespace standpipe
