#include "interceptors/regex_extractor/regex_extractor_interceptor.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "codec/java_date.h"
#include "codec/java_regex.h"
#include "interceptors/regex_extractor/header_interner.h"

namespace standpipe {

namespace {

constexpr std::string_view kPassThrough = "org.apache.flume.interceptor.RegexExtractorInterceptorPassThroughSerializer";
constexpr std::string_view kMillis = "org.apache.flume.interceptor.RegexExtractorInterceptorMillisSerializer";

constexpr Option kOptions[] = {
    {.name = "regex", .kind = Kind::regex, .help = "pattern that is looked for anywhere in the body", .required = true},
    {.name = "serializers",
     .kind = Kind::list,
     .help = "one word for each group of the pattern, in their order",
     .required = true},
    {.name = "serializers.*.name", .kind = Kind::name, .help = "header that gets the group"},
    {.name = "serializers.*.type",
     .kind = Kind::name,
     .fallback = "DEFAULT",
     .help =
         "DEFAULT: the text as it is; org.apache.flume.interceptor.RegexExtractorInterceptorMillisSerializer: a date "
         "as milliseconds since 1970"},
    {.name = "serializers.*.pattern", .kind = Kind::text, .help = "Joda-Time pattern of the Millis serializer's dates"},
    {.name = "serializers.*.*",
     .kind = Kind::text,
     .no_effect = "only a custom Java serializer could read it, and those cannot be loaded"},
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.interceptor.RegexExtractorInterceptor$Builder"};
constexpr ComponentInfo kInfo{.kind = ComponentKind::interceptor,
                              .name = "regex_extractor",
                              .class_names = kClassNames,
                              .summary = "Puts the groups of a pattern's match into headers.",
                              .options = kOptions};

/// Where one group goes.
struct Target {
  std::string header;
  int group = 0;
  std::optional<DatePattern> date;  // the Millis serializer
};

/// See regex_extractor_interceptor.h.
class RegexExtractorInterceptor final : public Interceptor {
 public:
  RegexExtractorInterceptor(JavaRegex pattern, std::vector<Target> targets, Environment& environment)
      : pattern_(std::move(pattern)),
        targets_(std::move(targets)),
        gave_up_(environment.counters.counter("RegexGaveUpCount")),
        unreadable_(environment.counters.counter("SerializeFailCount")) {}

  Status intercept(Batch& batch) override {
    thread_local HeaderInterner interner;
    interner.begin(batch);
    RegexMatch match;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const JavaRegex::Outcome outcome = pattern_.match(batch[i].body, match);
      if (outcome == JavaRegex::Outcome::gave_up) gave_up_.add();
      if (outcome == JavaRegex::Outcome::match) extract(match, i, interner);
    }
    return {};
  }

 private:
  void extract(const RegexMatch& match, std::size_t event, HeaderInterner& interner) const {
    interner.clear();
    for (const Target& target : targets_) {
      const auto text = match.group(target.group);
      if (!text) continue;
      if (!target.date) {
        interner.add(target.header, *text);
      } else if (const auto time = target.date->parse(*text)) {
        interner.add_number(target.header, *time);
      } else {
        unreadable_.add();
      }
    }
    interner.apply(event);
  }

  const JavaRegex pattern_;
  const std::vector<Target> targets_;  // by header name, as Headers are
  Counter& gave_up_;
  Counter& unreadable_;
};

Result<Target> make_target(const Settings& settings, const std::string& serializer, int group,
                           Environment& environment) {
  const std::string prefix = "serializers." + serializer + ".";
  Target target;
  target.group = group;
  target.header = settings.text(prefix + "name");
  if (target.header.empty()) {
    return Status(Code::invalid, prefix + "name is missing: it is the header that gets group " + std::to_string(group));
  }
  const std::string type = settings.text(prefix + "type");
  if (type == "DEFAULT" || type == "default" || type == kPassThrough) return target;
  if (type != kMillis) {
    return Status(Code::invalid, prefix + "type = " + type + " is not known: use DEFAULT or " + std::string(kMillis));
  }
  const std::string pattern = settings.text(prefix + "pattern");
  if (pattern.empty()) return Status(Code::invalid, prefix + "pattern is missing: the Millis serializer needs one");
  auto date = DatePattern::compile(pattern, DatePattern::Dialect::joda, TimeZone::local(), environment.clock.now_ms());
  if (!date.ok()) return date.status().with_context(prefix + "pattern: ");
  target.date = std::move(date).value();
  return target;
}

/// One target per header, ordered by it; of two that name the same header the later wins, as in Flume.
std::vector<Target> ordered(std::vector<Target> targets) {
  std::stable_sort(targets.begin(), targets.end(),
                   [](const Target& a, const Target& b) { return a.header < b.header; });
  std::vector<Target> result;
  for (Target& target : targets) {
    if (!result.empty() && result.back().header == target.header) result.pop_back();
    result.push_back(std::move(target));
  }
  return result;
}

Result<std::unique_ptr<Interceptor>> create(const Settings& settings, Environment& environment) {
  auto pattern = JavaRegex::compile(settings.text("regex"));
  if (!pattern.ok()) return pattern.status().with_context("regex: ");
  const std::vector<std::string> serializers = settings.list("serializers");
  if (serializers.empty()) return Status(Code::invalid, "serializers lists none: name one for each group of the regex");
  std::vector<Target> targets;
  for (const std::string& serializer : serializers) {
    const int group = static_cast<int>(targets.size()) + 1;
    TRY_ASSIGN(Target target, make_target(settings, serializer, group, environment));
    targets.push_back(std::move(target));
  }
  if (static_cast<int>(targets.size()) > pattern->groups()) {
    environment.log.warn("regex_extractor: " + std::to_string(targets.size()) + " serializers for " +
                         std::to_string(pattern->groups()) + " groups of the regex: the last ones are never used");
  }
  return std::unique_ptr<Interceptor>(std::make_unique<RegexExtractorInterceptor>(
      std::move(pattern).value(), ordered(std::move(targets)), environment));
}

}  // namespace

const InterceptorFactory kRegexExtractorInterceptor{&kInfo, &create};

}  // namespace standpipe
