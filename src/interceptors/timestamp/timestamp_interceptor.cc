#include "interceptors/timestamp/timestamp_interceptor.h"

#include "base/clock.h"

namespace standpipe {

namespace {

constexpr Option kOptions[] = {
    {.name = "headerName", .kind = Kind::name, .fallback = "timestamp", .help = "header that gets the time"},
    {.name = "preserveExisting",
     .kind = Kind::boolean,
     .fallback = "false",
     .help = "leave events alone that have the header already, even with an empty value"},
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.interceptor.TimestampInterceptor$Builder"};
constexpr ComponentInfo kInfo{.kind = ComponentKind::interceptor,
                              .name = "timestamp",
                              .class_names = kClassNames,
                              .summary = "Sets a header to the current time in milliseconds.",
                              .options = kOptions};

/// See timestamp_interceptor.h.
class TimestampInterceptor final : public Interceptor {
 public:
  TimestampInterceptor(const Settings& settings, Environment& environment)
      : clock_(environment.clock),
        header_(settings.text("headerName")),
        preserve_(settings.boolean("preserveExisting")) {}

  Status intercept(Batch& batch) override {
    const std::string now = std::to_string(clock_.now_ms());
    batch.change_headers([&](Headers& headers) {
      if (!preserve_ || !headers.contains(header_)) headers.set(header_, now);
    });
    return {};
  }

 private:
  Clock& clock_;
  const std::string header_;
  const bool preserve_;
};

Result<std::unique_ptr<Interceptor>> create(const Settings& settings, Environment& environment) {
  return std::unique_ptr<Interceptor>(std::make_unique<TimestampInterceptor>(settings, environment));
}

}  // namespace

const InterceptorFactory kTimestampInterceptor{&kInfo, &create};

}  // namespace standpipe
