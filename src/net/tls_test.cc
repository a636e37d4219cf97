#include "net/tls.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <condition_variable>
#include <fstream>
#include <functional>
#include <future>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/patience.h"
#include "support/tcp_client.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using ::testing::HasSubstr;

/// A key with a certificate that it signed itself, as files of both kinds.
class Identity {
 public:
  explicit Identity(const testing::TemporaryDirectory& folder, const std::string& name)
      : pem(folder.file(name + ".pem")), trust(folder.file(name + ".crt")), pkcs12(folder.file(name + ".p12")) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    EXPECT_GT(X509_sign(certificate, key, EVP_sha256()), 0);
    write(pem, [&](BIO* bio) {
      PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
      PEM_write_bio_X509(bio, certificate);
    });
    write(trust, [&](BIO* bio) { PEM_write_bio_X509(bio, certificate); });
    PKCS12* store = PKCS12_create("secret", "server", key, certificate, nullptr, 0, 0, 0, 0, 0);
    write(pkcs12, [&](BIO* bio) { i2d_PKCS12_bio(bio, store); });
    PKCS12_free(store);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }

  const std::string pem;
  const std::string trust;
  const std::string pkcs12;

 private:
  static void write(const std::string& path, const std::function<void(BIO*)>& content) {
    BIO* bio = BIO_new_file(path.c_str(), "wb");
    content(bio);
    BIO_free(bio);
  }
};

/// One end of a connection: gathers what comes, sends it back if told to.
class End final : public ConnectionHandler {
 public:
  End(std::unique_ptr<Connection> connection, bool echoes) : connection_(std::move(connection)), echoes_(echoes) {
    connection_->attach(*this);
    connection_->resume_reading();
  }
  void write(std::string bytes) { connection_->write(std::move(bytes)); }
  void finish() { connection_->finish_writing(); }

  bool wait_until(const std::function<bool(const End&)>& ready) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, testing::kPatience, [&] { return ready(*this); });
  }
  std::string received;  // under the mutex, which wait_until() holds
  Status failure;
  bool ended = false;

 private:
  void readable() override {
    char bytes[5000];
    const auto read = connection_->read(bytes, sizeof bytes);
    std::lock_guard lock(mutex_);
    changed_.notify_all();
    if (!read.ok()) {
      failure = read.status();
      return connection_->pause_reading();
    }
    received.append(bytes, read->size);
    if (echoes_ && read->size > 0) connection_->write(std::string(bytes, read->size));
    if (!read->end) return;
    ended = true;
    connection_->pause_reading();
    connection_->finish_writing();
  }
  void sent() override {}
  void failed(const Status&) override {}

  std::unique_ptr<Connection> connection_;
  const bool echoes_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
};

using Context = std::shared_ptr<const TlsContext>;

class TlsTest : public ::testing::Test {
 protected:
  ~TlsTest() override {
    network->run([this] {
      listener = nullptr;
      server = nullptr;
      client = nullptr;
    });
  }

  void serve(Context context) {
    ListenOptions where;
    where.host = "127.0.0.1";
    listener = network
                   ->listen(where,
                            [=, this](std::unique_ptr<Connection> connection) {
                              server =
                                  std::make_unique<End>(tls_server(std::move(connection), context, *network), true);
                              accepted.set_value();
                            })
                   .value();
  }

  void connect(Context context) {
    std::promise<void> done;
    std::unique_ptr<Connecting> connecting;
    network->run([&] {
      connecting = network->connect(
          {"127.0.0.1", listener->port(), testing::kPatience}, [&](Result<std::unique_ptr<Connection>> connection) {
            connecting = nullptr;
            client = std::make_unique<End>(tls_client(std::move(connection).value(), context, *network), false);
            client->write("hello");
            done.set_value();
          });
    });
    ASSERT_EQ(done.get_future().wait_for(testing::kPatience), std::future_status::ready);
    ASSERT_EQ(accepted.get_future().wait_for(testing::kPatience), std::future_status::ready);
  }

  void expect_echo(Context server_context, Context client_context) {
    accepted = {};
    serve(std::move(server_context));
    connect(std::move(client_context));
    EXPECT_TRUE(client->wait_until([](const End& end) { return end.received == "hello"; }))
        << client->failure.message();
    const std::string large(3 << 20, 'x');
    network->run([&] { client->write(large); });
    EXPECT_TRUE(client->wait_until([&](const End& end) { return end.received.size() == 5 + large.size(); }));
    network->run([&] { client->finish(); });
    EXPECT_TRUE(client->wait_until([](const End& end) { return end.ended; }));
    network->run([this] { listener = nullptr; });
  }

  testing::TemporaryDirectory folder;
  const Identity one{folder, "one"};
  const Identity other{folder, "other"};
  std::unique_ptr<Network> network = make_network();
  std::unique_ptr<Listener> listener;
  std::promise<void> accepted;
  std::unique_ptr<End> server;
  std::unique_ptr<End> client;
};

TEST_F(TlsTest, SpeaksWithKeysOfBothKindsAndWhoeverIsTrusted) {
  const Context pem = TlsContext::server({one.pem, ""}, {}).value();
  const Context pkcs12 = TlsContext::server({one.pkcs12, "secret"}, {}).value();
  const Context trusting = TlsContext::client({one.trust, ""}, false, {}).value();
  expect_echo(pem, trusting);
  expect_echo(pkcs12, trusting);
  expect_echo(pem, TlsContext::client({one.pkcs12, "secret"}, false, {}).value());
  expect_echo(pem, TlsContext::client({}, true, {}).value());
}

TEST_F(TlsTest, ACertificateThatNobodyTrustsIsRefused) {
  serve(TlsContext::server({one.pem, ""}, {}).value());
  connect(TlsContext::client({other.trust, ""}, false, {}).value());
  ASSERT_TRUE(client->wait_until([](const End& end) { return end.failure.code() == Code::corrupt; }));
  EXPECT_THAT(client->failure.message(), HasSubstr("is not trusted"));
  EXPECT_THAT(client->failure.message(), HasSubstr("truststore"));
  EXPECT_TRUE(server->wait_until([](const End& end) { return end.failure.code() == Code::corrupt || end.ended; }));
  EXPECT_EQ(server->received, "");
}

TEST_F(TlsTest, SaysThatThePeerSpeaksNoTls) {
  serve(TlsContext::server({one.pem, ""}, {}).value());
  testing::TcpClient plain(listener->port());
  plain.send(std::string(100, '\0'));
  ASSERT_EQ(accepted.get_future().wait_for(testing::kPatience), std::future_status::ready);
  ASSERT_TRUE(server->wait_until([](const End& end) { return end.failure.code() == Code::corrupt; }));
  EXPECT_THAT(server->failure.message(), HasSubstr("set ssl on both sides, or on neither"));
}

TEST_F(TlsTest, KeepsToVersionsAndSuites) {
  const TlsLimits older{.include_protocols = {"TLSv1.2"},
                        .include_ciphers = {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"}};
  const Context trusting = TlsContext::client({one.trust, ""}, false, {}).value();
  expect_echo(TlsContext::server({one.pem, ""}, older).value(), trusting);
  accepted = {};
  serve(TlsContext::server({one.pem, ""}, older).value());
  connect(TlsContext::client({one.trust, ""}, false, {.exclude_protocols = {"TLSv1.2", "SSLv3"}}).value());
  EXPECT_TRUE(client->wait_until([](const End& end) { return end.failure.code() == Code::corrupt; }));
}

TEST_F(TlsTest, NamesWhatIsWrongWithAStore) {
  const auto server_of = [](const std::string& path, const std::string& password) {
    const auto made = TlsContext::server({path, password}, {});
    EXPECT_EQ(made.status().code(), Code::invalid);
    return made.status().message();
  };
  EXPECT_THAT(server_of(folder.file("none"), ""), HasSubstr("none: it can't be read"));
  EXPECT_THAT(server_of(one.pkcs12, "wrong"), HasSubstr("with this password"));
  EXPECT_THAT(server_of(one.trust, ""), HasSubstr("holds no key"));
  std::ofstream(folder.file("jks"), std::ios::binary) << "\xfe\xed\xfe\xed and more";
  EXPECT_THAT(server_of(folder.file("jks"), ""), HasSubstr("-deststoretype PKCS12"));
  std::ofstream(folder.file("text")) << "no store at all";
  EXPECT_THAT(server_of(folder.file("text"), ""), HasSubstr("neither PEM nor PKCS12"));
  EXPECT_THAT(TlsContext::server({one.pem, ""}, {.include_protocols = {"SSLv3"}}).status().message(),
              HasSubstr("leave no version"));
  EXPECT_THAT(TlsContext::server({one.pem, ""}, {.include_ciphers = {"TLS_NONE"}}).status().message(),
              HasSubstr("leave no suite"));
}

}  // namespace
}  // namespace standpipe
