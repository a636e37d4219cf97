// The client, and the C library behind it, against a server in this process; real servers are in
// tests/interop/zookeeper.
#include "clients/zookeeper/client.h"

#include <atomic>
#include <condition_variable>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "clients/zookeeper/kafka_brokers.h"
#include "support/patience.h"
#include "support/test_environment.h"
#include "support/zookeeper_server.h"

namespace standpipe::zookeeper {
namespace {

using standpipe::testing::CapturingLog;
using standpipe::testing::kPatience;
using standpipe::testing::ZookeeperTestServer;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ZookeeperClientTest : public ::testing::Test {
 protected:
  Options options(const std::string& chroot = "") const {
    Options given;
    given.connect = server_.connect_string() + chroot;
    given.connect_timeout = kPatience;
    given.request_timeout = kPatience;
    return given;
  }
  std::unique_ptr<Client> open(const Options& given) {
    auto client = Client::open(given, log_, [this] {
      std::lock_guard lock(mutex_);
      ++changes_;
      told_.notify_all();
    });
    EXPECT_TRUE(client.ok()) << client.status().message();
    return std::move(client).value();
  }
  std::unique_ptr<Client> open() { return open(options()); }

  std::size_t changes() {
    std::lock_guard lock(mutex_);
    return changes_;
  }
  bool told_after(std::size_t before) {
    std::unique_lock lock(mutex_);
    return told_.wait_for(lock, kPatience, [&] { return changes_ > before; });
  }

  ZookeeperTestServer server_;
  CapturingLog log_;
  std::mutex mutex_;
  std::condition_variable told_;
  std::size_t changes_ = 0;
};

TEST_F(ZookeeperClientTest, MakesReadsWritesListsAndRemovesNodes) {
  const auto client = open();
  ASSERT_TRUE(client->create_with_parents("/flume/a1", "one").ok());
  EXPECT_EQ(server_.owner("/flume/a1"), "world:anyone");
  const auto node = client->get("/flume/a1");
  ASSERT_TRUE(node.ok()) << node.status().message();
  EXPECT_EQ(node->data, "one");
  EXPECT_EQ(node->version, 0);
  EXPECT_TRUE(client->set("/flume/a1", "two", 0).ok());
  EXPECT_EQ(client->set("/flume/a1", "three", 0).code(), Code::fenced);
  EXPECT_EQ(server_.data("/flume/a1"), "two");
  EXPECT_EQ(client->create("/flume/a1", "").code(), Code::fenced);
  EXPECT_EQ(client->create("/nowhere/a1", "").code(), Code::not_found);
  server_.put("/flume/b1", std::string(300'000, 'x') + '\0');
  EXPECT_EQ(client->get("/flume/b1")->data.size(), 300'001u);
  EXPECT_THAT(*client->children("/flume"), ElementsAre("a1", "b1"));
  EXPECT_EQ(client->remove("/flume", kAnyVersion).code(), Code::invalid);
  EXPECT_TRUE(client->remove("/flume/a1", kAnyVersion).ok());
  EXPECT_EQ(client->get("/flume/a1").status().code(), Code::not_found);
  EXPECT_THAT(client->get("/flume/a1").status().message(), HasSubstr("/flume/a1 in ZooKeeper 127.0.0.1:"));
  EXPECT_EQ(client->get("flume").status().code(), Code::invalid);
}

TEST_F(ZookeeperClientTest, PathsLieBelowTheChroot) {
  server_.put("/kafka/brokers", "there");
  const auto client = open(options("/kafka"));
  EXPECT_EQ(client->get("/brokers")->data, "there");
}

TEST_F(ZookeeperClientTest, TellsWhenAWatchedNodeChangesGoesOrAppears) {
  server_.put("/flume/a1", "one");
  const auto client = open();
  ASSERT_TRUE(told_after(0)) << "a session was established";
  const auto changes_it = [&](const std::function<void()>& change) {
    client->get("/flume/a1", Watch::yes).status().ignore();  // also where it is missing
    const std::size_t before = changes();
    change();
    return told_after(before);
  };
  EXPECT_TRUE(changes_it([&] { server_.put("/flume/a1", "two"); }));
  EXPECT_TRUE(changes_it([&] { server_.erase("/flume/a1"); }));
  EXPECT_TRUE(changes_it([&] { server_.put("/flume/a1", "three"); })) << "made again";
  EXPECT_EQ(client->get("/flume/a1")->data, "three");
}

TEST_F(ZookeeperClientTest, AWatchSurvivesALostConnectionAndWhatWasMissedIsTold) {
  server_.put("/flume/a1", "one");
  const auto client = open();
  ASSERT_EQ(client->get("/flume/a1", Watch::yes)->data, "one");
  server_.away(true);
  ASSERT_TRUE(server_.wait_until([&](const auto&) { return !client->connected(); }));
  EXPECT_TRUE(log_.contains("the connection is lost"));
  const std::size_t before = changes();
  server_.put("/flume/a1", "two");
  server_.away(false);
  ASSERT_TRUE(told_after(before));
  EXPECT_EQ(client->get("/flume/a1", Watch::yes)->data, "two");
  EXPECT_EQ(server_.sessions(), 1u) << "the session went on";
}

TEST_F(ZookeeperClientTest, AnExpiredSessionIsFollowedByANewOne) {
  server_.put("/flume/a1", "one");
  const auto client = open();
  ASSERT_TRUE(client->get("/flume/a1", Watch::yes).ok());
  for (std::size_t round = 2; round < 4; ++round) {
    const std::size_t before = changes();
    server_.expire_sessions();
    ASSERT_TRUE(server_.wait_until([&](const auto&) { return server_.sessions() == round; }));
    ASSERT_TRUE(told_after(before));
    EXPECT_EQ(client->get("/flume/a1", Watch::yes)->data, "one");
  }
  EXPECT_TRUE(log_.contains("the session expired"));
}

TEST_F(ZookeeperClientTest, ReadingIsRepeatedOverALostConnection) {
  server_.put("/flume/a1", "one");
  const auto client = open();
  ASSERT_TRUE(client->wait_connected().ok());
  server_.drop_connections();
  EXPECT_EQ(client->get("/flume/a1")->data, "one");
}

TEST_F(ZookeeperClientTest, AServerThatIsAwayIsSaidInTime) {
  server_.away(true);
  Options impatient = options();
  impatient.connect_timeout = std::chrono::milliseconds(100);
  const auto client = open(impatient);
  const Status status = client->wait_connected();
  EXPECT_EQ(status.code(), Code::unavailable);
  EXPECT_THAT(status.message(), HasSubstr("no session with ZooKeeper 127.0.0.1:"));
  EXPECT_EQ(client->get("/flume/a1").status().code(), Code::unavailable);
  server_.away(false);
  ASSERT_TRUE(told_after(0)) << "tried again by itself";
}

TEST_F(ZookeeperClientTest, AServerThatSaysNothingIsGivenUp) {
  server_.put("/flume/a1", "one");
  Options impatient = options();
  impatient.request_timeout = std::chrono::milliseconds(100);
  const auto client = open(impatient);
  ASSERT_TRUE(client->wait_connected().ok());
  server_.silent(true);
  EXPECT_EQ(client->get("/flume/a1").status().code(), Code::timeout);
  EXPECT_EQ(client->set("/flume/a1", "two", kAnyVersion).code(), Code::timeout);
}

TEST_F(ZookeeperClientTest, BytesThatAreNoAnswerEndTheConnectionAndNothingElse) {
  server_.put("/flume/a1", "one");
  Options impatient = options();
  impatient.request_timeout = std::chrono::milliseconds(300);
  impatient.connect_timeout = std::chrono::milliseconds(300);
  const std::string all[] = {std::string("\x7f\xff\xff\xff", 4), std::string("\xff\xff\xff\xff", 4),
                             std::string("\0\0\0\x04nono", 8), std::string("\0\0\0\x40", 4) + std::string(64, '\x7f'),
                             "HTTP/1.1 400 Bad Request\r\n\r\n"};
  for (const std::string& bytes : all) {
    {
      const auto client = open(impatient);
      ASSERT_TRUE(server_.wait_until([&](const auto&) { return client->connected(); }));
      server_.answer_with(bytes);
      EXPECT_FALSE(client->get("/flume/a1").ok());
    }
    server_.answer_with("");
  }
  EXPECT_EQ(open()->get("/flume/a1")->data, "one");
}

TEST_F(ZookeeperClientTest, AnIdentityIsShownAndOwnsWhatItMakes) {
  Options somebody = options();
  somebody.auth_scheme = "digest";
  somebody.auth = "flume:sesame-8421";
  const auto client = open(somebody);
  ASSERT_TRUE(client->create("/mine", "").ok());
  EXPECT_THAT(server_.identities(), AllOf(Not(IsEmpty()), Each("digest:flume:sesame-8421")));
  EXPECT_EQ(server_.owner("/mine"), "auth:");
  EXPECT_FALSE(log_.contains("sesame-8421"));
}

TEST_F(ZookeeperClientTest, SaysGoodbyeAtTheEndAndIsSilentAfterwards) {
  auto client = open();
  ASSERT_TRUE(client->wait_connected().ok());
  client.reset();
  EXPECT_EQ(server_.goodbyes(), 1u);
  const std::size_t before = changes();
  server_.put("/flume/a1", "one");
  EXPECT_EQ(changes(), before);
}

TEST_F(ZookeeperClientTest, AWrongConnectStringIsNotTried) {
  Options wrong;
  wrong.connect = "h:x";
  EXPECT_EQ(Client::open(wrong, log_).status().code(), Code::invalid);
}

TEST_F(ZookeeperClientTest, TheVersionSaysWhatIsMissing) {
  EXPECT_THAT(library_version(), HasSubstr("without TLS and SASL"));
}

// -- Kafka's brokers --------------------------------------------------------------------------------------------------

TEST_F(ZookeeperClientTest, FindsKafkasBrokersBelowTheChroot) {
  server_.put("/kafka/brokers/ids/2", R"({"version":1,"host":"two","port":9092,"jmx_port":-1,"timestamp":"1"})");
  server_.put("/kafka/brokers/ids/10",
              R"({"version":5,"host":null,"port":-1,"endpoints":["SECRET://ten:9093","OPEN://[::1]:9094"],)"
              R"("listener_security_protocol_map":{"SECRET":"SASL_SSL","OPEN":"PLAINTEXT"},"features":{}})");
  server_.put("/kafka/brokers/ids/11", "torn");
  server_.put("/kafka/brokers/ids/seqid", "");
  const auto servers = kafka_bootstrap_servers(options("/kafka"), "", log_);
  ASSERT_TRUE(servers.ok()) << servers.status().message();
  EXPECT_EQ(*servers, "two:9092,[::1]:9094");
  EXPECT_TRUE(log_.contains("Kafka broker 11 is passed over"));
  EXPECT_EQ(*kafka_bootstrap_servers(options("/kafka"), "sasl_ssl", log_), "ten:9093");
  const auto none = kafka_bootstrap_servers(options("/kafka"), "SSL", log_);
  EXPECT_EQ(none.status().code(), Code::invalid);
  EXPECT_THAT(none.status().message(), HasSubstr("they speak PLAINTEXT, SASL_SSL"));
}

TEST_F(ZookeeperClientTest, SaysWhyThereAreNoBrokers) {
  const auto wrong_chroot = kafka_bootstrap_servers(options(), "PLAINTEXT", log_);
  EXPECT_EQ(wrong_chroot.status().code(), Code::unavailable);
  EXPECT_THAT(wrong_chroot.status().message(), HasSubstr("without the chroot"));
  server_.put("/brokers/ids", "");
  const auto nobody = kafka_bootstrap_servers(options(), "PLAINTEXT", log_);
  EXPECT_EQ(nobody.status().code(), Code::unavailable);
  EXPECT_THAT(nobody.status().message(), HasSubstr("no Kafka broker is registered"));
  server_.put("/brokers/ids/1", "torn");
  EXPECT_EQ(kafka_bootstrap_servers(options(), "PLAINTEXT", log_).status().code(), Code::corrupt);
}

}  // namespace
}  // namespace standpipe::zookeeper
