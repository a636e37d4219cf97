#include "interceptors/remove_header/remove_header_interceptor.h"

#include <optional>
#include <vector>

#include "codec/java_regex.h"

namespace standpipe {

namespace {

constexpr Option kOptions[] = {
    {.name = "withName", .kind = Kind::name, .help = "remove the header of this name"},
    {.name = "fromList", .kind = Kind::text, .help = "remove the headers of these names"},
    {.name = "fromListSeparator",
     .kind = Kind::regex,
     .fallback = "\\s*,\\s*",
     .help = "pattern that separates the names of fromList"},
    {.name = "matching", .kind = Kind::regex, .help = "remove the headers whose whole name matches this pattern"},
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.interceptor.RemoveHeaderInterceptor$Builder"};
constexpr ComponentInfo kInfo{.kind = ComponentKind::interceptor,
                              .name = "remove_header",
                              .class_names = kClassNames,
                              .summary = "Removes headers by name, list or pattern.",
                              .options = kOptions};

/// See remove_header_interceptor.h.
class RemoveHeaderInterceptor final : public Interceptor {
 public:
  RemoveHeaderInterceptor(std::vector<std::string> names, std::optional<JavaRegex> matching)
      : names_(std::move(names)), matching_(std::move(matching)) {}

  Status intercept(Batch& batch) override {
    if (names_.empty() && !matching_) return {};
    batch.change_headers([&](Headers& headers) {
      for (const std::string& name : names_) headers.erase(name);
      if (matching_) remove_matching(headers);
    });
    return {};
  }

 private:
  void remove_matching(Headers& headers) const {
    std::vector<std::string> found;  // once per block, not per event
    for (const auto& [name, value] : headers) {
      if (matching_->matches(name)) found.emplace_back(name);
    }
    for (const std::string& name : found) headers.erase(name);
  }

  const std::vector<std::string> names_;
  const std::optional<JavaRegex> matching_;
};

Result<std::unique_ptr<Interceptor>> create(const Settings& settings, Environment&) {
  std::vector<std::string> names;
  if (const auto name = settings.optional_text("withName")) names.push_back(*name);
  if (const auto list = settings.optional_text("fromList")) {
    auto separator = JavaRegex::compile(settings.text("fromListSeparator"));
    if (!separator.ok()) return separator.status().with_context("fromListSeparator: ");
    for (std::string& name : separator->split(*list)) names.push_back(std::move(name));
  }
  std::optional<JavaRegex> matching;
  if (const auto pattern = settings.optional_text("matching")) {
    auto compiled = JavaRegex::compile(*pattern, JavaRegex::Mode::full);
    if (!compiled.ok()) return compiled.status().with_context("matching: ");
    matching = std::move(compiled).value();
  }
  return std::unique_ptr<Interceptor>(std::make_unique<RemoveHeaderInterceptor>(std::move(names), std::move(matching)));
}

}  // namespace

const InterceptorFactory kRemoveHeaderInterceptor{&kInfo, &create};

}  // namespace standpipe
