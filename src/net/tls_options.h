#pragma once

#include "net/tls.h"
#include "standpipe/option.h"
#include "standpipe/settings.h"

/// The options of every component that speaks TLS, for its table, and what they say.
namespace standpipe::tls_options {

inline constexpr Option kExcludeProtocols = {
    .name = "exclude-protocols",
    .kind = Kind::list,
    .fallback = "SSLv3",
    .help = "TLS versions to refuse; SSLv3 is always refused, and a version named here wins over include-protocols."};
inline constexpr Option kIncludeProtocols = {.name = "include-protocols",
                                             .kind = Kind::list,
                                             .help = "TLS versions to allow; without it all but the refused ones."};
inline constexpr Option kExcludeCipherSuites = {
    .name = "exclude-cipher-suites", .kind = Kind::list, .help = "Cipher suites to refuse, by their Java names."};
inline constexpr Option kIncludeCipherSuites = {.name = "include-cipher-suites",
                                                .kind = Kind::list,
                                                .help = "Cipher suites to allow, by their Java names; without it all."};
/// Of those that compress, too.
inline constexpr Option kDeflateOutside = {
    .name = "deflate-outside-tls",
    .kind = Kind::boolean,
    .fallback = "true",
    .help = "Where both are on: true as Flume 1.10 and 1.11 have it, false as Flume 1.9 and older."};

/// `settings` of a table with the first four.
TlsLimits limits(const Settings& settings);

}  // namespace standpipe::tls_options
