#pragma once

#include <array>

#include "config/known/table.h"

/// The TLS options that Flume's network components share.
namespace standpipe::table {

inline constexpr std::array kTlsLimits{
    Option{"exclude-protocols", Kind::list, "SSLv3",
           "TLS versions to refuse; SSLv3 is always refused, and a version named here wins over include-protocols."},
    Option{"include-protocols", Kind::list, "", "TLS versions to allow; without it all but the refused ones."},
    Option{"exclude-cipher-suites", Kind::list, "", "Cipher suites to refuse, by their Java names."},
    Option{"include-cipher-suites", Kind::list, "", "Cipher suites to allow, by their Java names; without it all."},
};

inline constexpr std::array kTlsServer = join(
    std::array{
        flag("ssl", "false", "Whether clients must speak TLS."),
        Option{"keystore", Kind::path, "",
               "Key store with the server's certificate and key; without it the process-wide one."},
        Option{"keystore-password", Kind::secret, "", "Password of the key store."},
        Option{"keystore-type", Kind::name, "JKS", "Format of the key store, JKS or PKCS12."},
    },
    kTlsLimits);

inline constexpr std::array kTlsClient = join(
    std::array{
        flag("ssl", "false", "Whether to speak TLS with the server."),
        Option{"truststore", Kind::path, "",
               "Trust store that the server's certificate is checked against; without it the process-wide one."},
        Option{"truststore-password", Kind::secret, "", "Password of the trust store."},
        Option{"truststore-type", Kind::name, "JKS", "Format of the trust store, JKS or PKCS12."},
    },
    kTlsLimits);

}  // namespace standpipe::table
