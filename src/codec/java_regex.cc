#define PCRE2_CODE_UNIT_WIDTH 8
#include "codec/java_regex.h"

#include <pcre2.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "codec/java_regex_syntax.h"
#include "codec/utf8.h"

namespace standpipe {

namespace {

// What one match may cost: some tens of milliseconds, then it gives up.
constexpr std::uint32_t kMatchLimit = 5'000'000;
constexpr std::uint32_t kHeapLimitKib = 16 * 1024;
constexpr std::size_t kJitStackBytes = 512 * 1024;
constexpr std::size_t kTargets = 3;

struct CodeFree {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
using CodePtr = std::unique_ptr<pcre2_code, CodeFree>;

/// What a thread needs for its matches; made at its first one and kept.
class ThreadState {
 public:
  ThreadState()
      : context_(pcre2_match_context_create(nullptr)),
        stack_(pcre2_jit_stack_create(32 * 1024, kJitStackBytes, nullptr)) {
    CHECK(context_ != nullptr && stack_ != nullptr);
    pcre2_set_match_limit(context_, kMatchLimit);
    pcre2_set_heap_limit(context_, kHeapLimitKib);
    pcre2_jit_stack_assign(context_, nullptr, stack_);
  }
  ~ThreadState() {
    pcre2_match_data_free(data_);
    pcre2_jit_stack_free(stack_);
    pcre2_match_context_free(context_);
  }
  ThreadState(const ThreadState&) = delete;
  ThreadState& operator=(const ThreadState&) = delete;

  pcre2_match_data* data(std::uint32_t pairs) {
    if (pairs > pairs_) {
      pcre2_match_data_free(data_);
      pairs_ = std::max<std::uint32_t>(pairs, 16);
      data_ = pcre2_match_data_create(pairs_, nullptr);
      CHECK(data_ != nullptr);
    }
    return data_;
  }
  pcre2_match_context* context() { return context_; }
  std::string decoded;  // text that was no UTF-8

 private:
  pcre2_match_context* context_;
  pcre2_jit_stack* stack_;
  pcre2_match_data* data_ = nullptr;
  std::uint32_t pairs_ = 0;
};

ThreadState& thread_state() {
  thread_local ThreadState state;
  return state;
}

/// Whether `text` has a line end that PCRE2's ANYCRLF convention does not treat as Java does.
bool has_rare_line_end(std::string_view text) {
  return text.find("\r\n") != std::string_view::npos || text.find("\xc2\x85") != std::string_view::npos ||
         text.find("\xe2\x80\xa8") != std::string_view::npos || text.find("\xe2\x80\xa9") != std::string_view::npos;
}

PCRE2_SPTR units(std::string_view text) {
  // PCRE2 refuses null also for an empty text.
  return reinterpret_cast<PCRE2_SPTR>(text.data() == nullptr ? "" : text.data());
}

}  // namespace

struct JavaRegex::Compiled {
  struct Program {
    CodePtr code;
    bool jit = false;
  };
  std::string pattern;
  TranslatedRegex translated;
  std::array<Program, kTargets> programs;  // by RegexTarget; the last may be empty: the same as utf8
};

/// A text ready to be matched: which program fits it.
struct JavaRegex::Subject {
  std::string_view text;
  const Compiled::Program* program;
};

namespace {

Status cannot_translate(std::string_view pattern, int error, std::size_t offset, std::string_view translated) {
  std::array<PCRE2_UCHAR, 160> message{};
  pcre2_get_error_message(error, message.data(), message.size());
  std::string text = "regular expression '" + std::string(pattern.substr(0, 200)) +
                     "' is not supported: " + reinterpret_cast<const char*>(message.data());
  const std::size_t from = offset > 20 ? offset - 20 : 0;
  text += " (near '" + std::string(translated.substr(from, std::min<std::size_t>(offset, 20))) + "')";
  return {Code::invalid, std::move(text)};
}

}  // namespace

Result<JavaRegex> JavaRegex::compile(std::string_view pattern, Mode mode) {
  auto compiled = std::make_shared<Compiled>();
  compiled->pattern = pattern;
  const std::unique_ptr<pcre2_compile_context, decltype(&pcre2_compile_context_free)> context(
      pcre2_compile_context_create(nullptr), &pcre2_compile_context_free);
  CHECK(context != nullptr);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_ANYCRLF);
  for (const RegexTarget target : {RegexTarget::ascii, RegexTarget::utf8, RegexTarget::utf8_line_ends}) {
    if (target == RegexTarget::utf8_line_ends && !compiled->translated.uses_line_ends) break;
    TRY_ASSIGN(compiled->translated, translate_java_regex(pattern, target));
    std::string text = compiled->translated.pattern;
    if (mode == Mode::full) text = "\\A(?:" + text + ")\\z";
    int error = 0;
    PCRE2_SIZE offset = 0;
    const std::uint32_t options = target == RegexTarget::ascii ? 0 : PCRE2_UTF;
    Compiled::Program& program = compiled->programs[static_cast<std::size_t>(target)];
    program.code.reset(pcre2_compile(units(text), text.size(), options, &error, &offset, context.get()));
    if (program.code == nullptr) return cannot_translate(pattern, error, offset, text);
    program.jit = pcre2_jit_compile(program.code.get(), PCRE2_JIT_COMPLETE) == 0;
  }
  JavaRegex result;
  result.compiled_ = std::move(compiled);
  return result;
}

const std::string& JavaRegex::pattern() const { return compiled_->pattern; }
int JavaRegex::groups() const { return compiled_->translated.groups; }

int JavaRegex::group_of(std::string_view name) const {
  const auto& names = compiled_->translated.names;
  const auto found = std::find(names.begin(), names.end(), name);
  return name.empty() || found == names.end() ? -1 : static_cast<int>(found - names.begin()) + 1;
}

JavaRegex::Subject JavaRegex::prepare(std::string_view text) const {
  const auto& programs = compiled_->programs;
  const TranslatedRegex& translated = compiled_->translated;
  if (utf8::is_ascii(text)) {
    const bool between = translated.uses_line_end_anchor && text.find("\r\n") != std::string_view::npos;
    return {text, &programs[between ? 2 : 0]};
  }
  if (!utf8::is_valid(text)) {
    std::string& decoded = thread_state().decoded;
    decoded.clear();
    utf8::append_replacing(decoded, text);
    text = decoded;
  }
  return {text, &programs[translated.uses_line_ends && has_rare_line_end(text) ? 2 : 1]};
}

JavaRegex::Outcome JavaRegex::run(const Subject& subject, std::size_t from, RegexMatch& match) const {
  ThreadState& state = thread_state();
  pcre2_match_data* data = state.data(static_cast<std::uint32_t>(groups()) + 1);
  const pcre2_code* code = subject.program->code.get();
  int result = PCRE2_ERROR_JIT_STACKLIMIT;
  if (subject.program->jit) {
    result = pcre2_jit_match(code, units(subject.text), subject.text.size(), from, PCRE2_NO_UTF_CHECK, data,
                             state.context());
  }
  // Without JIT, or where its stack is too small: the interpreter, which has the heap.
  if (result == PCRE2_ERROR_JIT_STACKLIMIT) {
    result = pcre2_match(code, units(subject.text), subject.text.size(), from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data,
                         state.context());
  }
  if (result == PCRE2_ERROR_NOMATCH) return Outcome::none;
  if (result < 0) return Outcome::gave_up;
  match.text_ = subject.text;
  match.offsets_ = pcre2_get_ovector_pointer(data);
  match.count_ = result;
  return Outcome::match;
}

JavaRegex::Outcome JavaRegex::match(std::string_view text, RegexMatch& match) const {
  return run(prepare(text), 0, match);
}

std::vector<std::string> JavaRegex::split(std::string_view text) const {
  const Subject subject = prepare(text);
  std::vector<std::string> parts;
  std::size_t begin = 0;
  RegexMatch match;
  for (std::size_t from = 0; from < subject.text.size() && run(subject, from, match) == Outcome::match;) {
    const bool empty = match.begin() == match.end();
    if (match.end() > 0 &&
        match.begin() < subject.text.size()) {  // Java: nothing stands before a match of nothing at 0
      parts.emplace_back(subject.text.substr(begin, match.begin() - begin));
      begin = match.end();
    }
    from = match.end();
    if (empty && from < subject.text.size()) from += utf8::step(subject.text.substr(from)).size;
  }
  parts.emplace_back(subject.text.substr(begin));
  while (parts.size() > 1 && parts.back().empty()) parts.pop_back();
  return parts;
}

Result<JavaReplacement> JavaReplacement::compile(std::string_view text, const JavaRegex& regex) {
  JavaReplacement result(regex);
  Part part;
  const auto invalid = [&](const std::string& what) {
    return Status(Code::invalid, "replacement '" + std::string(text) + "': " + what);
  };
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at++];
    if (c == '\\') {
      if (at == text.size()) return invalid("a '\\' at the end: write \\\\ for a backslash");
      part.literal += text[at++];
      continue;
    }
    if (c != '$') {
      part.literal += c;
      continue;
    }
    if (at < text.size() && text[at] == '{') {
      const std::size_t end = text.find('}', at);
      const std::string name(text.substr(at + 1, end == std::string_view::npos ? end : end - at - 1));
      part.group = regex.group_of(name);
      if (end == std::string_view::npos || part.group < 0) {
        return invalid("no group named '" + name + "' in the pattern; write \\$ for a dollar sign");
      }
      at = end + 1;
    } else if (at < text.size() && text[at] >= '0' && text[at] <= '9') {
      part.group = text[at++] - '0';
      if (part.group > regex.groups()) {
        return invalid("no group " + std::to_string(part.group) + " in the pattern; write \\$ for a dollar sign");
      }
      for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
        const int longer = part.group * 10 + (text[at] - '0');
        if (longer > regex.groups()) break;
        part.group = longer;
      }
    } else {
      return invalid("a '$' without a group: write \\$ for a dollar sign");
    }
    result.parts_.push_back(std::move(part));
    part = {};
  }
  if (!part.literal.empty()) result.parts_.push_back(std::move(part));
  return result;
}

void JavaReplacement::append(const RegexMatch& match, std::string& out) const {
  for (const Part& part : parts_) {
    out += part.literal;
    if (part.group >= 0) out += match.group(part.group).value_or("");
  }
}

JavaRegex::Outcome JavaReplacement::replace_all(std::string_view text, std::string& out) const {
  const JavaRegex::Subject subject = regex_.prepare(text);
  const std::size_t before = out.size();
  std::size_t copied = 0;
  std::size_t from = 0;
  bool any = false;
  RegexMatch match;
  while (from <= subject.text.size()) {
    const JavaRegex::Outcome outcome = regex_.run(subject, from, match);
    if (outcome == JavaRegex::Outcome::gave_up) {
      out.resize(before);
      return outcome;
    }
    if (outcome == JavaRegex::Outcome::none) break;
    any = true;
    out += subject.text.substr(copied, match.begin() - copied);
    append(match, out);
    copied = match.end();
    from = match.end();
    if (match.begin() == match.end() && from <= subject.text.size()) {  // an empty match: one character on
      from += from < subject.text.size() ? utf8::step(subject.text.substr(from)).size : 1;
    }
  }
  if (!any) return JavaRegex::Outcome::none;
  out += subject.text.substr(copied);
  return JavaRegex::Outcome::match;
}

}  // namespace standpipe
