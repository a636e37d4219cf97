#include "interceptors/host/host_interceptor.h"

#include <mutex>

#include "codec/local_host.h"

namespace standpipe {

namespace {

constexpr Option kOptions[] = {
    {.name = "hostHeader", .kind = Kind::name, .fallback = "host", .help = "header that gets the address or name"},
    {.name = "preserveExisting",
     .kind = Kind::boolean,
     .fallback = "false",
     .help = "leave events alone that have the header already, even with an empty value"},
    {.name = "useIP",
     .kind = Kind::boolean,
     .fallback = "true",
     .help = "true: the address that the host name resolves to; false: the fully qualified host name"},
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.interceptor.HostInterceptor$Builder"};
constexpr ComponentInfo kInfo{.kind = ComponentKind::interceptor,
                              .name = "host",
                              .class_names = kClassNames,
                              .summary = "Sets a header to the address or name of this machine.",
                              .options = kOptions};

/// See host_interceptor.h.
class HostInterceptor final : public Interceptor {
 public:
  HostInterceptor(const Settings& settings, Environment& environment)
      : log_(environment.log),
        header_(settings.text("hostHeader")),
        preserve_(settings.boolean("preserveExisting")),
        use_address_(settings.boolean("useIP")) {}

  Status intercept(Batch& batch) override {
    std::call_once(resolved_, [&] { resolve(); });
    if (value_.empty()) return {};
    batch.change_headers([&](Headers& headers) {
      if (!preserve_ || !headers.contains(header_)) headers.set(header_, value_);
    });
    return {};
  }

 private:
  void resolve() {
    const LocalHost& host = local_host();
    if (host.resolved) {
      value_ = use_address_ ? host.address : host.canonical;
    } else {
      log_.warn("host interceptor: the host name '" + host.name + "' has no address, so no header '" + header_ +
                "' is set: add the name to /etc/hosts");
    }
  }

  Log& log_;
  const std::string header_;
  const bool preserve_;
  const bool use_address_;
  std::once_flag resolved_;
  std::string value_;  // written once, before any use
};

Result<std::unique_ptr<Interceptor>> create(const Settings& settings, Environment& environment) {
  return std::unique_ptr<Interceptor>(std::make_unique<HostInterceptor>(settings, environment));
}

}  // namespace

const InterceptorFactory kHostInterceptor{&kInfo, &create};

}  // namespace standpipe
