// The first line of the input is a pattern, the second a replacement, the rest is text: translating, matching and
// replacing must end, stay inside the text and agree with each other.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "codec/java_regex.h"
#include "codec/utf8.h"

namespace {

using standpipe::JavaRegex;
using Outcome = JavaRegex::Outcome;

void check(bool holds) {
  if (!holds) std::abort();
}

std::string_view take_line(std::string_view& input) {
  const std::size_t end = input.find('\n');
  const std::string_view line = input.substr(0, end);
  input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
  return line;
}

void check_match(const JavaRegex& regex, const standpipe::RegexMatch& match) {
  check(standpipe::utf8::is_valid(match.text()));
  for (int group = 0; group <= regex.groups() + 1; ++group) {
    const auto text = match.group(group);
    if (!text) continue;
    check(text->data() >= match.text().data() &&
          text->data() + text->size() <= match.text().data() + match.text().size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view pattern = take_line(input);
  const std::string_view replacement = take_line(input);
  if (pattern.size() > 200 || input.size() > 500)
    return 0;  // the work limit is per match: keep an input below a second
  const auto full = JavaRegex::compile(pattern, JavaRegex::Mode::full);
  const auto regex = JavaRegex::compile(pattern);
  check(full.ok() == regex.ok());
  if (!regex.ok()) return 0;
  standpipe::RegexMatch match;
  const Outcome whole = full->match(input, match);
  if (whole == Outcome::match) check(match.begin() == 0 && match.end() == match.text().size());
  const Outcome found = regex->match(input, match);
  if (found == Outcome::match) check_match(*regex, match);
  if (whole == Outcome::match) check(found != Outcome::none);
  const auto compiled = standpipe::JavaReplacement::compile(replacement, *regex);
  if (!compiled.ok()) return 0;
  std::string out = "kept";
  const Outcome replaced = compiled->replace_all(input, out);
  check(out.starts_with("kept"));
  if (replaced != Outcome::match) check(out == "kept");
  if (replaced == Outcome::none && found != Outcome::gave_up) check(found == Outcome::none);
  return 0;
}
