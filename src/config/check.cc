#include "config/check.h"

#include <algorithm>

#include <fmt/format.h>

namespace standpipe {

namespace {

std::string counted(std::size_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

std::size_t count_of(const Diagnostics& diagnostics, Severity severity) {
  return static_cast<std::size_t>(std::count_if(diagnostics.begin(), diagnostics.end(),
                                                [&](const Diagnostic& found) { return found.severity == severity; }));
}

/// Text from a file may hold control characters; a terminal must not obey them.
std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      out.push_back(c);
    } else {
      out += fmt::format("\\x{:02x}", byte);
    }
  }
  return out;
}

}  // namespace

namespace {

std::string headline(const Diagnostic& diagnostic) {
  std::string place = diagnostic.file;
  if (diagnostic.line != 0) place += fmt::format("{}{}", place.empty() ? "line " : ":", diagnostic.line);
  if (!place.empty()) place += ": ";
  const std::string_view subject = diagnostic.key.empty() ? diagnostic.component : diagnostic.key;
  return fmt::format("{}{}: {}{}{} [{}]\n", printable(place), to_string(diagnostic.severity), printable(subject),
                     subject.empty() ? "" : ": ", printable(diagnostic.message), to_string(diagnostic.code));
}

std::string advice(const Diagnostic& diagnostic) {
  std::string out;
  if (!diagnostic.suggestion.empty()) out += fmt::format("    {}\n", printable(diagnostic.suggestion));
  if (!diagnostic.consequence.empty()) out += fmt::format("    -> {}\n", printable(diagnostic.consequence));
  return out;
}

bool same_advice(const Diagnostic& one, const Diagnostic& other) {
  return one.code == other.code && one.severity == other.severity && one.suggestion == other.suggestion &&
         one.consequence == other.consequence;
}

}  // namespace

std::string render(const Diagnostic& diagnostic) { return headline(diagnostic) + advice(diagnostic); }

std::string render(const Diagnostics& diagnostics) {
  std::string out;
  for (std::size_t i = 0; i < diagnostics.size(); ++i) {
    out += headline(diagnostics[i]);
    // Neighbours with the same advice, as twenty lines of prose in a file have, share it.
    const bool last = i + 1 == diagnostics.size() || !same_advice(diagnostics[i], diagnostics[i + 1]);
    if (last) out += advice(diagnostics[i]);
  }
  out += fmt::format("{}, {}", counted(count_of(diagnostics, Severity::error), "error"),
                     counted(count_of(diagnostics, Severity::warning), "warning"));
  const std::size_t notes = count_of(diagnostics, Severity::note);
  if (notes > 0) out += fmt::format(", {}", counted(notes, "note"));
  return out + "\n";
}

int exit_code(const Diagnostics& diagnostics, bool strict) {
  if (count_of(diagnostics, Severity::error) > 0) return 2;
  return strict && count_of(diagnostics, Severity::warning) > 0 ? 1 : 0;
}

}  // namespace standpipe
