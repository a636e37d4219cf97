#pragma once

#include <memory>

#include "net/tls.h"

// OpenSSL's names, so that its headers stay out of ours.
struct ssl_ctx_st;

namespace standpipe {

struct TlsContext::Inner {
  struct Free {
    void operator()(ssl_ctx_st* made) const;
  };
  std::unique_ptr<ssl_ctx_st, Free> context;
  bool checks_name = false;
};

/// What OpenSSL complained about last, and forgets it.
std::string tls_complaint();

}  // namespace standpipe
