#pragma once

#include <memory>

#include "net/tls.h"
#include "standpipe/environment.h"
#include "standpipe/option.h"
#include "standpipe/settings.h"

/// The options of every component that speaks TLS, for its table, and what they say. Where a component says nothing,
/// the process-wide settings (tls_defaults.h) hold.
namespace standpipe::tls_options {

// -- of both ends -----------------------------------------------------------------------------------------------------

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
inline constexpr Option kKeystorePassword = {
    .name = "keystore-password", .kind = Kind::secret, .help = "Password of the key store and of its key."};
inline constexpr Option kKeystoreType = {
    .name = "keystore-type",
    .kind = Kind::name,
    .fallback = "JKS",
    .help = "Format of the key store; JKS, PKCS12 and PEM are recognised whatever it says."};
inline constexpr Option kTruststorePassword = {
    .name = "truststore-password", .kind = Kind::secret, .help = "Password of the trust store."};
inline constexpr Option kTruststoreType = {
    .name = "truststore-type",
    .kind = Kind::name,
    .fallback = "JKS",
    .help = "Format of the trust store; JKS, PKCS12 and PEM are recognised whatever it says."};

// -- of a server ------------------------------------------------------------------------------------------------------

inline constexpr Option kServerSsl = {
    .name = "ssl", .kind = Kind::boolean, .fallback = "false", .help = "Whether clients must speak TLS."};
inline constexpr Option kServerKeystore = {
    .name = "keystore",
    .kind = Kind::path,
    .help = "Key store with the server's certificate and key: JKS, PKCS12 or PEM; without it the process-wide one."};
inline constexpr Option kNeedClientAuth = {
    .name = "need-client-auth",
    .kind = Kind::boolean,
    .fallback = "false",
    .help = "Whether clients must show a certificate that the trust store vouches for."};
inline constexpr Option kServerTruststore = {
    .name = "truststore",
    .kind = Kind::path,
    .help =
        "Certificates that vouch for clients, with need-client-auth: JKS, PKCS12 or PEM; without it the "
        "process-wide ones."};

/// What `settings`, of a table with all of the above, ask for. Null: no TLS.
Result<std::shared_ptr<const TlsContext>> server(const Settings& settings);

// -- of a client ------------------------------------------------------------------------------------------------------

inline constexpr Option kClientSsl = {
    .name = "ssl", .kind = Kind::boolean, .fallback = "false", .help = "Whether to speak TLS with the server."};
inline constexpr Option kTrustAll = {.name = "trust-all-certs",
                                     .kind = Kind::boolean,
                                     .fallback = "false",
                                     .help = "Whether any certificate of the server is accepted."};
inline constexpr Option kVerifyHostname = {
    .name = "verify-hostname",
    .kind = Kind::boolean,
    .fallback = "false",
    .help = "Whether the server's certificate must be for the host that is connected to."};
inline constexpr Option kClientTruststore = {
    .name = "truststore",
    .kind = Kind::path,
    .help =
        "Certificates that the server's chain is checked against: JKS, PKCS12 or PEM; without it the "
        "process-wide ones, and without those the system's."};
inline constexpr Option kClientKeystore = {
    .name = "keystore",
    .kind = Kind::path,
    .help = "Key store with what a server gets to see that asks for a certificate: JKS, PKCS12 or PEM."};
/// Of those that compress, too.
inline constexpr Option kDeflateOutside = {
    .name = "deflate-outside-tls",
    .kind = Kind::boolean,
    .fallback = "true",
    .help = "Where both are on: true as Flume 1.10 and 1.11 have it, false as Flume 1.9 and older."};

/// What `settings`, of a table with all of the above (trust-all-certs may be missing), ask for. Null: no TLS. `log`
/// hears that the name is not looked at.
Result<std::shared_ptr<const TlsContext>> client(const Settings& settings, Log& log);

}  // namespace standpipe::tls_options
