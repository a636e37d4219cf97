#include "net/tls_defaults.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace standpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TlsDefaultsTest : public ::testing::Test {
 protected:
  TlsDefaults read() const {
    return read_tls_defaults(properties, [this](const char* name) -> const char* {
      const auto found = variables.find(name);
      return found == variables.end() ? nullptr : found->second.c_str();
    });
  }
  std::map<std::string, std::string, std::less<>> properties;
  std::map<std::string, std::string, std::less<>> variables;
};

TEST_F(TlsDefaultsTest, NothingIsSaid) {
  const TlsDefaults none = read();
  EXPECT_EQ(none.keys.path, "");
  EXPECT_THAT(none.limits.exclude_protocols, IsEmpty());
}

TEST_F(TlsDefaultsTest, APropertyWinsOverAVariable) {
  variables = {{"FLUME_SSL_KEYSTORE_PATH", "/v/keys"},
               {"FLUME_SSL_KEYSTORE_PASSWORD", "of the variable"},
               {"FLUME_SSL_TRUSTSTORE_PATH", "/v/trusted"},
               {"FLUME_SSL_TRUSTSTORE_PASSWORD", "secret"},
               {"FLUME_SSL_EXCLUDE_PROTOCOLS", "TLSv1, TLSv1.1,"},
               {"FLUME_SSL_INCLUDE_CIPHERSUITES", "A,B"}};
  properties = {{"javax.net.ssl.keyStore", "/p/keys"},
                {"flume.ssl.include.protocols", "TLSv1.2,TLSv1.3"},
                {"flume.ssl.exclude.cipherSuites", "C"},
                {"flume.ssl.include.cipherSuites", "D"}};
  const TlsDefaults all = read();
  EXPECT_EQ(all.keys.path, "/p/keys");
  EXPECT_EQ(all.keys.password, "of the variable");
  EXPECT_EQ(all.trusted.path, "/v/trusted");
  EXPECT_EQ(all.trusted.password, "secret");
  EXPECT_THAT(all.limits.exclude_protocols, ElementsAre("TLSv1", "TLSv1.1"));
  EXPECT_THAT(all.limits.include_protocols, ElementsAre("TLSv1.2", "TLSv1.3"));
  EXPECT_THAT(all.limits.include_ciphers, ElementsAre("D"));
  EXPECT_THAT(all.limits.exclude_ciphers, ElementsAre("C"));
}

TEST_F(TlsDefaultsTest, KnowsItsProperties) {
  EXPECT_TRUE(is_tls_default("flume.ssl.include.protocols"));
  EXPECT_TRUE(is_tls_default("javax.net.ssl.trustStoreType"));
  EXPECT_FALSE(is_tls_default("flume.ssl.protocols"));
}

}  // namespace
}  // namespace standpipe
