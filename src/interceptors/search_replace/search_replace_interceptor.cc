#include "interceptors/search_replace/search_replace_interceptor.h"

#include "codec/charset.h"
#include "codec/java_regex.h"

namespace standpipe {

namespace {

constexpr Option kOptions[] = {
    {.name = "searchPattern", .kind = Kind::regex, .help = "pattern to look for in the body", .required = true},
    {.name = "replaceString",
     .kind = Kind::text,
     .help = "text in place of each match; $1 and ${name} stand for groups, \\$ for a dollar sign; empty: remove"},
    {.name = "charset", .kind = Kind::charset, .fallback = "UTF-8", .help = "charset of the body"},
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.interceptor.SearchAndReplaceInterceptor$Builder"};
constexpr ComponentInfo kInfo{.kind = ComponentKind::interceptor,
                              .name = "search_replace",
                              .class_names = kClassNames,
                              .summary = "Replaces what a pattern finds in the body.",
                              .options = kOptions};

/// See search_replace_interceptor.h.
class SearchReplaceInterceptor final : public Interceptor {
 public:
  SearchReplaceInterceptor(JavaReplacement replacement, Charset charset, Environment& environment)
      : replacement_(std::move(replacement)),
        charset_(std::move(charset)),
        budget_(environment.budget),
        gave_up_(environment.counters.counter("RegexGaveUpCount")) {}

  Status intercept(Batch& batch) override {
    thread_local std::string result;
    CharsetDecoder decoder(charset_, OnMalformed::replace);
    CharsetEncoder encoder(charset_, OnMalformed::replace);
    std::string decoded;
    std::string encoded;
    const bool plain = charset_.family() == Charset::Family::utf8;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      std::string_view text = batch[i].body;
      if (!plain) {
        decoded.clear();
        decoder.reset();
        TRY_ASSIGN([[maybe_unused]] const std::size_t used, decoder.decode(text, decoded));
        text = decoded;
      }
      result.clear();
      const JavaRegex::Outcome outcome = replacement_.replace_all(text, result);
      if (outcome == JavaRegex::Outcome::gave_up) gave_up_.add();
      if (outcome != JavaRegex::Outcome::match) continue;
      if (plain) {
        batch.set_body(i, result, &budget_);
        continue;
      }
      encoded.clear();
      TRY(encoder.encode(result, encoded));
      batch.set_body(i, encoded, &budget_);
    }
    return {};
  }

 private:
  const JavaReplacement replacement_;
  const Charset charset_;
  MemoryBudget& budget_;
  Counter& gave_up_;
};

Result<std::unique_ptr<Interceptor>> create(const Settings& settings, Environment& environment) {
  auto pattern = JavaRegex::compile(settings.text("searchPattern"));
  if (!pattern.ok()) return pattern.status().with_context("searchPattern: ");
  auto replacement = JavaReplacement::compile(settings.text("replaceString"), *pattern);
  if (!replacement.ok()) return replacement.status().with_context("replaceString: ");
  auto charset = Charset::find(settings.text("charset"));
  if (!charset.ok()) return charset.status().with_context("charset: ");
  return std::unique_ptr<Interceptor>(std::make_unique<SearchReplaceInterceptor>(
      std::move(replacement).value(), std::move(charset).value(), environment));
}

}  // namespace

const InterceptorFactory kSearchReplaceInterceptor{&kInfo, &create};

}  // namespace standpipe
