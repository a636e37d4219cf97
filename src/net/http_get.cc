#include "net/http_get.h"

#include <dlfcn.h>

#include <memory>

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <fmt/format.h>

#include "base/pending_end.h"

namespace standpipe {

namespace {

constexpr const char* kLibrary = "libcurl.so.4";

/// The functions of libcurl that are used here, found when they are first needed.
struct Curl {
  decltype(&::curl_version) version;
  decltype(&::curl_easy_init) init;
  decltype(&::curl_easy_cleanup) cleanup;
  decltype(&::curl_easy_setopt) set;
  decltype(&::curl_easy_getinfo) get;
  decltype(&::curl_easy_perform) perform;
  decltype(&::curl_easy_strerror) error_text;
};

template <typename F>
bool find(void* library, const char* name, F& function) {
  function = reinterpret_cast<F>(::dlsym(library, name));
  return function != nullptr;
}

Result<Curl> load() {
  void* library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Status(Code::unavailable, fmt::format("an address can't be read without {} (Debian: apt-get install "
                                                 "libcurl4): {}",
                                                 kLibrary, ::dlerror()));
  }
  Curl curl{};
  const bool complete = find(library, "curl_version", curl.version) && find(library, "curl_easy_init", curl.init) &&
                        find(library, "curl_easy_cleanup", curl.cleanup) &&
                        find(library, "curl_easy_setopt", curl.set) && find(library, "curl_easy_getinfo", curl.get) &&
                        find(library, "curl_easy_perform", curl.perform) &&
                        find(library, "curl_easy_strerror", curl.error_text);
  if (!complete) return Status(Code::unavailable, fmt::format("{} lacks a function that is needed", kLibrary));
  return curl;
}

const Result<Curl>& curl_library() {
  static const Result<Curl> library = load();
  return library;
}

struct Body {
  std::string bytes;
  std::size_t limit;
};

std::size_t append_body(char* data, std::size_t size, std::size_t count, void* target) {
  auto& body = *static_cast<Body*>(target);
  if (body.bytes.size() + size * count > body.limit) return 0;  // makes curl give up with a write error
  body.bytes.append(data, size * count);
  return size * count;
}

/// Called about once a second, also while nothing comes; not zero: curl gives up.
int give_up_at_the_end(void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t) { return end_is_pending() ? 1 : 0; }

}  // namespace

Result<std::string> http_get(const HttpGet& request) {
  if (!curl_library().ok()) return curl_library().status();
  const Curl& curl = *curl_library();
  const std::unique_ptr<CURL, decltype(curl.cleanup)> handle(curl.init(), curl.cleanup);
  if (handle == nullptr) return Status(Code::unavailable, "the HTTP library could not be started");
  Body body{{}, request.max_bytes};
  curl.set(handle.get(), CURLOPT_URL, request.url.c_str());
  curl.set(handle.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl.set(handle.get(), CURLOPT_WRITEFUNCTION, append_body);
  curl.set(handle.get(), CURLOPT_WRITEDATA, &body);
  curl.set(handle.get(), CURLOPT_TIMEOUT, static_cast<long>(request.timeout.count()));
  curl.set(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl.set(handle.get(), CURLOPT_NOPROGRESS, 0L);
  curl.set(handle.get(), CURLOPT_XFERINFOFUNCTION, give_up_at_the_end);
  if (!request.user.empty()) {
    curl.set(handle.get(), CURLOPT_USERNAME, request.user.c_str());
    curl.set(handle.get(), CURLOPT_PASSWORD, request.password.c_str());
  }
  const CURLcode result = curl.perform(handle.get());
  if (result != CURLE_OK) {
    return Status(Code::unavailable, fmt::format("{}: {}", request.url, curl.error_text(result)));
  }
  long answer = 0;
  curl.get(handle.get(), CURLINFO_RESPONSE_CODE, &answer);
  if (answer != 200) return Status(Code::unavailable, fmt::format("{}: the server answered {}", request.url, answer));
  return std::move(body.bytes);
}

std::string http_library_version() {
  return curl_library().ok() ? (*curl_library()).version() : curl_library().status().message();
}

}  // namespace standpipe
