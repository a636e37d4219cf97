#include "net/tls_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_environment.h"

namespace standpipe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr Option kServerOptions[] = {tls_options::kServerSsl,           tls_options::kServerKeystore,
                                     tls_options::kKeystorePassword,    tls_options::kNeedClientAuth,
                                     tls_options::kServerTruststore,    tls_options::kTruststorePassword,
                                     tls_options::kExcludeProtocols,    tls_options::kIncludeProtocols,
                                     tls_options::kIncludeCipherSuites, tls_options::kExcludeCipherSuites};
constexpr ComponentInfo kServer{.kind = ComponentKind::source, .name = "server", .options = kServerOptions};

constexpr Option kClientOptions[] = {
    tls_options::kClientSsl,           tls_options::kTrustAll,           tls_options::kVerifyHostname,
    tls_options::kClientTruststore,    tls_options::kTruststorePassword, tls_options::kKeystorePassword,
    tls_options::kClientKeystore,      tls_options::kExcludeProtocols,   tls_options::kIncludeProtocols,
    tls_options::kIncludeCipherSuites, tls_options::kExcludeCipherSuites};
constexpr ComponentInfo kClient{.kind = ComponentKind::sink, .name = "client", .options = kClientOptions};

std::string refusal(const std::string& key, const std::string& value) {
  const auto settings = Settings::parse(
      kServer,
      {{"ssl", "true"}, {"keystore", STANDPIPE_STORES "/server.jks"}, {"keystore-password", "changeit"}, {key, value}});
  return tls_options::server(*settings).status().message();
}

TEST(TlsOptions, CommasBetweenVersionsHideNone) {
  EXPECT_EQ(refusal("exclude-protocols", "SSLv3 TLSv1 TLSv1.1"), "");
  EXPECT_EQ(refusal("include-protocols", "TLSv1.2,TLSv1.3"), "");
  EXPECT_THAT(refusal("exclude-protocols", "TLSv1, TLSv1.1,TLSv1.2, TLSv1.3"), HasSubstr("leave no version of TLS"));
}

TEST(TlsOptions, SaysWhatAClientDoesNotVerify) {
  const auto warnings = [](Settings::Map given) {
    testing::CapturingLog log;
    given.emplace("ssl", "true");
    EXPECT_TRUE(tls_options::client(*Settings::parse(kClient, given), log).ok());
    return log.lines();
  };
  EXPECT_THAT(warnings({}), ElementsAre(HasSubstr("verify-hostname = true looks at the name in it")));
  EXPECT_THAT(warnings({{"verify-hostname", "true"}}), IsEmpty());
  EXPECT_THAT(warnings({{"trust-all-certs", "true"}}),
              ElementsAre(AllOf(HasSubstr("put its certificate, or who signed it, into truststore"),
                                Not(HasSubstr("hostname")))));
  EXPECT_THAT(warnings({{"trust-all-certs", "true"}, {"verify-hostname", "true"}}),
              ElementsAre(HasSubstr("verify-hostname has no effect")));
}

}  // namespace
}  // namespace standpipe
