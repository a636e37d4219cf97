#include "interceptors/static/static_interceptor.h"

namespace standpipe {

namespace {

constexpr Option kOptions[] = {
    {.name = "key", .kind = Kind::name, .fallback = "key", .help = "header to set"},
    {.name = "value", .kind = Kind::text, .fallback = "value", .help = "its value"},
    {.name = "preserveExisting",
     .kind = Kind::boolean,
     .fallback = "true",
     .help = "leave events alone that have the header already, even with an empty value"},
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.interceptor.StaticInterceptor$Builder"};
constexpr ComponentInfo kInfo{.kind = ComponentKind::interceptor,
                              .name = "static",
                              .class_names = kClassNames,
                              .summary = "Sets a header to a fixed value.",
                              .options = kOptions};

/// See static_interceptor.h.
class StaticInterceptor final : public Interceptor {
 public:
  explicit StaticInterceptor(const Settings& settings)
      : key_(settings.text("key")), value_(settings.text("value")), preserve_(settings.boolean("preserveExisting")) {}

  Status intercept(Batch& batch) override {
    batch.change_headers([&](Headers& headers) {
      if (!preserve_ || !headers.contains(key_)) headers.set(key_, value_);
    });
    return {};
  }

 private:
  const std::string key_;
  const std::string value_;
  const bool preserve_;
};

Result<std::unique_ptr<Interceptor>> create(const Settings& settings, Environment& environment) {
  environment.log.info("Creating StaticInterceptor: preserveExisting=" +
                       std::string(settings.boolean("preserveExisting") ? "true" : "false") +
                       ",key=" + settings.text("key") + ",value=" + settings.text("value"));
  return std::unique_ptr<Interceptor>(std::make_unique<StaticInterceptor>(settings));
}

}  // namespace

const InterceptorFactory kStaticInterceptor{&kInfo, &create};

}  // namespace standpipe
