#include "interceptors/regex_filter/regex_filter_interceptor.h"

#include "codec/java_regex.h"

namespace standpipe {

namespace {

constexpr Option kOptions[] = {
    {.name = "regex", .kind = Kind::regex, .fallback = ".*", .help = "pattern that is looked for anywhere in the body"},
    {.name = "excludeEvents",
     .kind = Kind::boolean,
     .fallback = "false",
     .help = "true: drop the events in which it is found; false: drop the others"},
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.interceptor.RegexFilteringInterceptor$Builder"};
constexpr ComponentInfo kInfo{.kind = ComponentKind::interceptor,
                              .name = "regex_filter",
                              .class_names = kClassNames,
                              .summary = "Keeps or drops events by a pattern in the body.",
                              .options = kOptions};

/// See regex_filter_interceptor.h.
class RegexFilterInterceptor final : public Interceptor {
 public:
  RegexFilterInterceptor(JavaRegex pattern, bool exclude, Environment& environment)
      : pattern_(std::move(pattern)),
        exclude_(exclude),
        filtered_(environment.counters.counter("EventFilteredCount")),
        gave_up_(environment.counters.counter("RegexGaveUpCount")) {}

  Status intercept(Batch& batch) override {
    const std::size_t before = batch.size();
    batch.keep_if([&](std::size_t index) { return keeps(batch[index].body); });
    filtered_.add(static_cast<std::int64_t>(before - batch.size()));
    return {};
  }

 private:
  bool keeps(std::string_view body) const {
    RegexMatch match;
    switch (pattern_.match(body, match)) {
      case JavaRegex::Outcome::match: return !exclude_;
      case JavaRegex::Outcome::none: return exclude_;
      default: gave_up_.add(); return true;  // what can't be decided is not thrown away
    }
  }

  const JavaRegex pattern_;
  const bool exclude_;
  Counter& filtered_;
  Counter& gave_up_;
};

Result<std::unique_ptr<Interceptor>> create(const Settings& settings, Environment& environment) {
  auto pattern = JavaRegex::compile(settings.text("regex"));
  if (!pattern.ok()) return pattern.status().with_context("regex: ");
  return std::unique_ptr<Interceptor>(std::make_unique<RegexFilterInterceptor>(
      std::move(pattern).value(), settings.boolean("excludeEvents"), environment));
}

}  // namespace

const InterceptorFactory kRegexFilterInterceptor{&kInfo, &create};

}  // namespace standpipe
