#include "interceptors/uuid/uuid_interceptor.h"

#include <sys/random.h>

#include <array>
#include <cstdint>
#include <random>

namespace standpipe {

namespace {

constexpr Option kOptions[] = {
    {.name = "headerName", .kind = Kind::name, .fallback = "id", .help = "header that gets the identifier"},
    {.name = "preserveExisting",
     .kind = Kind::boolean,
     .fallback = "true",
     .help = "leave events alone that have the header already, even with an empty value"},
    {.name = "prefix", .kind = Kind::name, .help = "text before the identifier"},
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.sink.solr.morphline.UUIDInterceptor$Builder"};
constexpr ComponentInfo kInfo{.kind = ComponentKind::interceptor,
                              .name = "uuid",
                              .class_names = kClassNames,
                              .summary = "Gives each event a random identifier.",
                              .options = kOptions};

constexpr std::size_t kUuidBytes = 16;
constexpr std::size_t kUuidText = 36;

/// Random bytes for many identifiers, from the kernel at once. One per thread.
class RandomPool {
 public:
  const unsigned char* next() {
    if (used_ == bytes_.size()) refill();
    used_ += kUuidBytes;
    return bytes_.data() + used_ - kUuidBytes;
  }

 private:
  void refill() {
    used_ = 0;
    if (getrandom(bytes_.data(), bytes_.size(), 0) == static_cast<ssize_t>(bytes_.size())) return;
    std::random_device source;  // a kernel without getrandom(), or a signal in between
    for (unsigned char& byte : bytes_) byte = static_cast<unsigned char>(source());
  }

  std::array<unsigned char, 256 * kUuidBytes> bytes_{};
  std::size_t used_ = 256 * kUuidBytes;
};

void write_uuid(const unsigned char* random, char* out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < kUuidBytes; ++i) {
    unsigned byte = random[i];
    if (i == 6) byte = 0x40 | (byte & 0x0f);  // version 4
    if (i == 8) byte = 0x80 | (byte & 0x3f);  // the variant of RFC 4122
    if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
    *out++ = kDigits[byte >> 4];
    *out++ = kDigits[byte & 0xf];
  }
}

/// See uuid_interceptor.h.
class UuidInterceptor final : public Interceptor {
 public:
  explicit UuidInterceptor(const Settings& settings)
      : header_(settings.text("headerName")),
        prefix_(settings.text("prefix")),
        preserve_(settings.boolean("preserveExisting")) {}

  Status intercept(Batch& batch) override {
    thread_local RandomPool pool;
    std::string value = prefix_ + std::string(kUuidText, '-');
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const Headers& old = *batch[i].headers;
      if (preserve_ && old.contains(header_)) continue;
      write_uuid(pool.next(), value.data() + prefix_.size());
      Headers headers = old;
      headers.set(header_, value);
      batch.set_block(i, batch.add_headers(std::move(headers)));
    }
    return {};
  }

 private:
  const std::string header_;
  const std::string prefix_;
  const bool preserve_;
};

Result<std::unique_ptr<Interceptor>> create(const Settings& settings, Environment&) {
  return std::unique_ptr<Interceptor>(std::make_unique<UuidInterceptor>(settings));
}

}  // namespace

const InterceptorFactory kUuidInterceptor{&kInfo, &create};

}  // namespace standpipe
