#include "clients/zookeeper/broker_node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace standpipe::zookeeper {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(BrokerNodeTest, ReadsEveryVersionOfABrokersNode) {
  const std::string old_fields = R"("host":"h","port":9092,"jmx_port":9999,"timestamp":"1406")";
  const std::string two = R"("endpoints":["PLAINTEXT://h:9092","SSL://h:9093"])";
  const BrokerEndpoint plain{"PLAINTEXT", "PLAINTEXT", "h", 9092};
  const BrokerEndpoint tls{"SSL", "SSL", "h", 9093};
  EXPECT_THAT(*parse_broker_node(R"({"version":1,)" + old_fields + "}"), ElementsAre(plain));
  EXPECT_THAT(*parse_broker_node(R"({"version":2,)" + old_fields + "," + two + "}"), ElementsAre(plain, tls));
  EXPECT_THAT(*parse_broker_node(R"({"version":3,"rack":"r1",)" + old_fields + "," + two + "}"),
              ElementsAre(plain, tls));
  const std::string mapped = R"("endpoints":["CLIENT://[fe80::1]:9092","REPLICATION://r:9093"],)"
                             R"("listener_security_protocol_map":{"CLIENT":"SASL_SSL","REPLICATION":"PLAINTEXT"})";
  for (const char* version : {"4", "5", "6"}) {
    EXPECT_THAT(*parse_broker_node(std::string(R"({"version":)") + version + "," + old_fields + "," + mapped +
                                   R"(,"features":{"f":{"min":1}}})"),
                ElementsAre(BrokerEndpoint{"CLIENT", "SASL_SSL", "fe80::1", 9092},
                            BrokerEndpoint{"REPLICATION", "PLAINTEXT", "r", 9093}))
        << version;
  }
}

TEST(BrokerNodeTest, PassesOverWhatNobodyCanConnectTo) {
  const auto endpoints = parse_broker_node(
      R"({"version":4,"host":null,"port":-1,"endpoints":["SSL://:9093","SASL_SSL://h:-1","SSL://h:1"]})");
  ASSERT_TRUE(endpoints.ok()) << endpoints.status().message();
  EXPECT_THAT(*endpoints, ElementsAre(BrokerEndpoint{"SSL", "SSL", "h", 1}));
  EXPECT_THAT(*parse_broker_node(R"({"version":2,"endpoints":[]})"), IsEmpty());
}

TEST(BrokerNodeTest, SaysWhatIsWrong) {
  const std::pair<std::string, const char*> all[] = {
      {"", "not what a broker writes"},
      {"null", "not what a broker writes"},
      {"[]", "not what a broker writes"},
      {"{\"version\":1,\"host\":\"h\",\"port\":9092", "not what a broker writes"},
      {std::string(100'000, '['), "too large"},
      {std::string(60'000, '['), "not what a broker writes"},
      {R"({"host":"h","port":9092})", "'version' is missing"},
      {R"({"version":0,"host":"h","port":9092})", "'version' is missing"},
      {R"({"version":1,"host":null,"port":9092})", "neither 'endpoints' nor 'host' and 'port'"},
      {R"({"version":1,"host":"h,evil:1","port":9092})", "'host' or 'port' is none"},
      {R"({"version":1,"host":"h","port":70000})", "'host' or 'port' is none"},
      {R"({"version":2,"endpoints":[1]})", "an endpoint is no text"},
      {R"({"version":2,"endpoints":["h:9092"]})", "no LISTENER://host:port"},
      {R"({"version":2,"endpoints":["SSL://h"]})", "no LISTENER://host:port"},
      {R"({"version":2,"endpoints":["://h:1"]})", "no listener's name"},
      {R"({"version":2,"endpoints":["S S://h:1"]})", "no listener's name"},
      {R"({"version":2,"endpoints":["SSL://a,b:1"]})", "a host that is none"},
      {R"({"version":2,"endpoints":["SSL://h:65536"]})", "a port that is none"},
      {R"({"version":4,"endpoints":["A://h:1"],"listener_security_protocol_map":[]})", "is no object"},
      {R"({"version":4,"endpoints":["A://h:1"],"listener_security_protocol_map":{"A":1}})", "is no text"},
      {R"({"version":4,"endpoints":["A://h:1"],"listener_security_protocol_map":{"A":"x y"}})", "protocol is none"}};
  for (const auto& [json, says] : all) {
    const auto endpoints = parse_broker_node(json);
    ASSERT_FALSE(endpoints.ok()) << json.substr(0, 80);
    EXPECT_EQ(endpoints.status().code(), Code::corrupt);
    EXPECT_THAT(endpoints.status().message(), HasSubstr(says)) << json.substr(0, 80);
  }
  std::string many;
  for (int i = 0; i < 65; ++i) many += (i == 0 ? "" : ",") + std::string(R"("SSL://h:1")");
  EXPECT_FALSE(parse_broker_node(R"({"version":2,"endpoints":[)" + many + "]}").ok());
}

TEST(BrokerNodeTest, TheListenerOfTheProtocolsOwnNameComesFirst) {
  const std::vector<BrokerEndpoint> endpoints{
      {"OUTSIDE", "SSL", "a", 1}, {"SSL", "SSL", "b", 2}, {"PLAINTEXT", "SASL_SSL", "c", 3}};
  EXPECT_EQ(find_endpoint(endpoints, "ssl")->host, "b");
  EXPECT_EQ(find_endpoint(endpoints, "SASL_SSL")->host, "c");
  EXPECT_EQ(find_endpoint(endpoints, "PLAINTEXT"), nullptr) << "its name says so, its protocol does not";
}

}  // namespace
}  // namespace standpipe::zookeeper
