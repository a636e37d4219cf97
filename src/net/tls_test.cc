#include "net/tls.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <condition_variable>
#include <fstream>
#include <functional>
#include <future>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/filter_connection.h"
#include "support/patience.h"
#include "support/tcp_client.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using ::testing::HasSubstr;

/// A key with a certificate that it signed itself, as files of both kinds.
class Identity {
 public:
  explicit Identity(const testing::TemporaryDirectory& folder, const std::string& name, long valid_from = -60,
                    long valid_until = 3600)
      : pem(folder.file(name + ".pem")), trust(folder.file(name + ".crt")), pkcs12(folder.file(name + ".p12")) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), valid_from);
    X509_gmtime_adj(X509_getm_notAfter(certificate), valid_until);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    const std::string names = name == "one" ? "DNS:localhost,IP:127.0.0.1" : "DNS:" + name + ".example";
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
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
  ~End() override { failure.ignore(); }  // not every test asks both ends
  void write(std::string bytes) { connection_->write(std::move(bytes)); }
  void cork() { connection_->cork(); }
  void uncork() { connection_->uncork(); }
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

/// Counts the bytes that are sent through it.
class Counted final : public FilterConnection {
 public:
  Counted(std::unique_ptr<Connection> below, Network& network, std::size_t& sent)
      : FilterConnection(std::move(below), network), sent_(sent) {}
  Result<Read> read(char* target, std::size_t room) override { return below().read(target, room); }
  void write(std::string bytes) override {
    sent_ += bytes.size();
    below().write(std::move(bytes));
  }
  void write(std::shared_ptr<const Slab> slab, std::string_view bytes) override {
    sent_ += bytes.size();
    below().write(std::move(slab), bytes);
  }
  void finish_writing() override { below().finish_writing(); }

 private:
  bool has_more() const override { return false; }
  std::size_t& sent_;
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

  void connect(Context context, const std::string& host = "127.0.0.1") {
    std::promise<void> done;
    std::unique_ptr<Connecting> connecting;
    network->run([&] {
      connecting = network->connect(
          {"127.0.0.1", listener->port(), testing::kPatience}, [&](Result<std::unique_ptr<Connection>> connection) {
            connecting = nullptr;
            auto counted = std::make_unique<Counted>(std::move(connection).value(), *network, sent);
            client = std::make_unique<End>(tls_client(std::move(counted), context, *network, host), false);
            client->write("hello");
            done.set_value();
          });
    });
    ASSERT_EQ(done.get_future().wait_for(testing::kPatience), std::future_status::ready);
    ASSERT_EQ(accepted.get_future().wait_for(testing::kPatience), std::future_status::ready);
  }

  /// What the client's end comes to; the server gets none of its bytes.
  std::string failure_of(Context server_context, Context client_context, const std::string& host = "127.0.0.1") {
    accepted = {};
    serve(std::move(server_context));
    connect(std::move(client_context), host);
    EXPECT_TRUE(client->wait_until([](const End& end) { return !end.failure.ok() || end.ended; }));
    EXPECT_TRUE(server->wait_until([](const End& end) { return !end.failure.ok() || end.ended; }));
    EXPECT_EQ(server->received, "");
    network->run([this] { listener = nullptr; });
    return client->failure.message();
  }

  void expect_echo(Context server_context, Context client_context, const std::string& host = "127.0.0.1") {
    accepted = {};
    serve(std::move(server_context));
    connect(std::move(client_context), host);
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
  std::size_t sent = 0;  // bytes of the client, encrypted; the loop's thread
};

TEST_F(TlsTest, SmallWritesThatAreCorkedShareRecords) {
  serve(TlsContext::server({.keys = {one.pem, ""}}).value());
  connect(TlsContext::client({.trust_all = true}).value());
  ASSERT_TRUE(client->wait_until([](const End& end) { return end.received == "hello"; }));
  std::string all = "hello";
  for (int i = 0; i < 1000; ++i) all += std::to_string(1000 + i);
  std::size_t before = 0;
  network->run([&] {
    before = sent;
    client->cork();
    for (std::size_t at = 5; at < all.size(); at += 4) client->write(all.substr(at, 4));
    EXPECT_EQ(sent, before);
    client->uncork();
    EXPECT_LE(sent, before + 4000 + 64) << "one record";
    client->cork();
    client->write("small");
    client->write(std::string(1 << 20, 'x'));
    EXPECT_GT(sent, before + (1 << 20)) << "large ones wait for nothing, and come behind";
    client->uncork();
  });
  all += "small" + std::string(1 << 20, 'x');
  EXPECT_TRUE(client->wait_until([&](const End& end) { return end.received == all; }));
}

TEST_F(TlsTest, SpeaksWithKeysOfBothKindsAndWhoeverIsTrusted) {
  const Context pem = TlsContext::server({.keys = {one.pem, ""}}).value();
  const Context pkcs12 = TlsContext::server({.keys = {one.pkcs12, "secret"}}).value();
  const Context trusting = TlsContext::client({.trusted = {one.trust, ""}}).value();
  expect_echo(pem, trusting);
  expect_echo(pkcs12, trusting);
  expect_echo(pem, TlsContext::client({.trusted = {one.pkcs12, "secret"}}).value());
  expect_echo(pem, TlsContext::client({.trust_all = true}).value());
}

TEST_F(TlsTest, ACertificateThatNobodyTrustsIsRefused) {
  serve(TlsContext::server({.keys = {one.pem, ""}}).value());
  connect(TlsContext::client({.trusted = {other.trust, ""}}).value());
  ASSERT_TRUE(client->wait_until([](const End& end) { return end.failure.code() == Code::corrupt; }));
  EXPECT_THAT(client->failure.message(), HasSubstr("is not trusted"));
  EXPECT_THAT(client->failure.message(), HasSubstr("truststore"));
  EXPECT_TRUE(server->wait_until([](const End& end) { return end.failure.code() == Code::corrupt || end.ended; }));
  EXPECT_EQ(server->received, "");
}

TEST_F(TlsTest, BothEndsAreToldWhatToDoAboutACertificate) {
  failure_of(TlsContext::server({.keys = {one.pem, ""}}).value(),
             TlsContext::client({.trusted = {other.trust, ""}}).value());
  EXPECT_THAT(server->failure.message(),
              HasSubstr("put the certificate in keystore, or who signed it, into the truststore of the other side"));
  const Identity old(folder, "old", -3600, -60);
  EXPECT_THAT(failure_of(TlsContext::server({.keys = {old.pem, ""}}).value(),
                         TlsContext::client({.trusted = {old.trust, ""}}).value()),
              HasSubstr("has expired, or who signed it has: renew it"));
  EXPECT_THAT(server->failure.message(), HasSubstr("renew the certificate in keystore"));
  const Identity early(folder, "early", 3600, 7200);
  EXPECT_THAT(failure_of(TlsContext::server({.keys = {early.pem, ""}}).value(),
                         TlsContext::client({.trusted = {early.trust, ""}}).value()),
              HasSubstr("is not valid yet: look at the clocks"));
}

TEST_F(TlsTest, SaysThatThePeerSpeaksNoTls) {
  serve(TlsContext::server({.keys = {one.pem, ""}}).value());
  testing::TcpClient plain(listener->port());
  plain.send(std::string(100, '\0'));
  ASSERT_EQ(accepted.get_future().wait_for(testing::kPatience), std::future_status::ready);
  ASSERT_TRUE(server->wait_until([](const End& end) { return end.failure.code() == Code::corrupt; }));
  EXPECT_THAT(server->failure.message(), HasSubstr("set ssl on both sides, or on neither"));
}

TEST_F(TlsTest, KeepsToVersionsAndSuites) {
  const TlsLimits older{.include_protocols = {"TLSv1.2"},
                        .include_ciphers = {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"}};
  const Context trusting = TlsContext::client({.trusted = {one.trust, ""}}).value();
  expect_echo(TlsContext::server({.keys = {one.pem, ""}, .limits = older}).value(), trusting);
  accepted = {};
  serve(TlsContext::server({.keys = {one.pem, ""}, .limits = older}).value());
  connect(
      TlsContext::client({.trusted = {one.trust, ""}, .limits = {.exclude_protocols = {"TLSv1.2", "SSLv3"}}}).value());
  EXPECT_TRUE(client->wait_until([](const End& end) { return end.failure.code() == Code::corrupt; }));
}

TEST_F(TlsTest, AClientMustShowACertificateWhereOneIsNeeded) {
  const Context needs = TlsContext::server({.keys = {one.pem, ""}, .clients = KeyStore{other.trust, ""}}).value();
  const KeyStore trusted{one.trust, ""};
  expect_echo(needs, TlsContext::client({.trusted = trusted, .keys = {other.pkcs12, "secret"}}).value());
  failure_of(needs, TlsContext::client({.trusted = trusted}).value());
  EXPECT_THAT(server->failure.message(), HasSubstr("shows no certificate, and need-client-auth = true wants one"));
  const std::string refused =
      failure_of(needs, TlsContext::client({.trusted = trusted, .keys = {one.pem, ""}}).value());
  EXPECT_THAT(server->failure.message(), HasSubstr("is not trusted"));
  EXPECT_THAT(refused, HasSubstr("refuses TLS"));
}

TEST_F(TlsTest, ComparesTheNameWhereThatIsAskedFor) {
  const Context mine = TlsContext::server({.keys = {one.pem, ""}}).value();
  const Context foreign = TlsContext::server({.keys = {other.pem, ""}}).value();
  const Context checks = TlsContext::client({.trusted = {one.trust, ""}, .check_name = true}).value();
  expect_echo(mine, checks, "127.0.0.1");
  expect_echo(mine, checks, "localhost");
  EXPECT_THAT(failure_of(mine, checks, "one.example"), HasSubstr("is for another host"));
  EXPECT_THAT(failure_of(mine, checks, "127.0.0.2"), HasSubstr("is for another host"));
  EXPECT_THAT(failure_of(foreign, checks, "other.example"), HasSubstr("is not trusted"));
  expect_echo(foreign, TlsContext::client({.trusted = {other.trust, ""}}).value(), "one.example");
}

/// OpenSSL's own client on a blocking socket, for what a well-behaved one never does.
class RawTlsClient {
 public:
  RawTlsClient(std::uint16_t port, int version) : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_max_proto_version(context_, version);
    SSL_CTX_set_options(context_, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION);
    bio_ = BIO_new_connect(("127.0.0.1:" + std::to_string(port)).c_str());
    EXPECT_EQ(BIO_do_connect(bio_), 1);
    ssl_ = SSL_new(context_);
    SSL_set_bio(ssl_, bio_, bio_);
    EXPECT_EQ(SSL_connect(ssl_), 1);
  }
  ~RawTlsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  SSL* ssl() { return ssl_; }
  std::string echo(const std::string& text) {
    if (SSL_write(ssl_, text.data(), static_cast<int>(text.size())) <= 0) return "";
    std::string answer(text.size(), '\0');
    const int size = SSL_read(ssl_, answer.data(), static_cast<int>(answer.size()));
    answer.resize(static_cast<std::size_t>(std::max(size, 0)));
    return answer;
  }

 private:
  SSL_CTX* context_;
  SSL* ssl_;
  BIO* bio_;
};

TEST_F(TlsTest, NobodyNegotiatesAnew) {
  serve(TlsContext::server({.keys = {one.pem, ""}}).value());
  RawTlsClient client_12(listener->port(), TLS1_2_VERSION);
  ASSERT_EQ(accepted.get_future().wait_for(testing::kPatience), std::future_status::ready);
  EXPECT_EQ(client_12.echo("one"), "one");
  EXPECT_EQ(SSL_renegotiate(client_12.ssl()), 1);
  EXPECT_NE(SSL_do_handshake(client_12.ssl()), 1) << "it was refused";
}

TEST_F(TlsTest, NewKeysWithoutEndAreNoEndlessWork) {
  serve(TlsContext::server({.keys = {one.pem, ""}}).value());
  RawTlsClient client_13(listener->port(), TLS1_3_VERSION);
  ASSERT_EQ(accepted.get_future().wait_for(testing::kPatience), std::future_status::ready);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(SSL_key_update(client_13.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    ASSERT_EQ(SSL_do_handshake(client_13.ssl()), 1);
  }
  EXPECT_EQ(client_13.echo("still there"), "still there");
}

TEST_F(TlsTest, AStoreOfKeytoolsServesAndIsTrusted) {
  const auto stored = [](const char* name) { return KeyStore{std::string(STANDPIPE_STORES "/") + name, "changeit"}; };
  for (const char* keys : {"server.jks", "server.p12", "server-legacy.p12"}) {
    for (const char* trusted : {"trusted.jks", "trusted.p12"}) {
      const auto serving = TlsContext::server({.keys = stored(keys)});
      ASSERT_TRUE(serving.ok()) << serving.status().message();
      const auto trusting = TlsContext::client({.trusted = stored(trusted), .check_name = true});
      ASSERT_TRUE(trusting.ok()) << trusting.status().message();
      expect_echo(*serving, *trusting, "localhost");
    }
  }
  expect_echo(TlsContext::server({.keys = stored("server.jks")}).value(),
              TlsContext::client({.trusted = {stored("trusted.jks").path, ""}}).value());
  EXPECT_THAT(TlsContext::server({.keys = stored("trusted.jks")}).status().message(), HasSubstr("holds no key"));
  EXPECT_THAT(TlsContext::server({.keys = stored("server-keypass.jks")}).status().message(),
              HasSubstr("its key has another password than the store"));
  EXPECT_THAT(TlsContext::server({.keys = {stored("server.jks").path, "wrong"}}).status().message(),
              HasSubstr("can't be opened with this password"));
}

TEST_F(TlsTest, NamesWhatIsWrongWithAStore) {
  const auto server_of = [](const std::string& path, const std::string& password) {
    const auto made = TlsContext::server({.keys = {path, password}});
    EXPECT_EQ(made.status().code(), Code::invalid);
    return made.status().message();
  };
  EXPECT_THAT(server_of(folder.file("none"), ""), HasSubstr("none: it can't be read: No such file"));
  EXPECT_THAT(server_of(folder.path(), ""), HasSubstr("it can't be read: Is a directory"));
  std::ofstream(folder.file("empty"), std::ios::binary);
  EXPECT_THAT(server_of(folder.file("empty"), ""), HasSubstr("it is empty"));
  EXPECT_THAT(server_of(one.pkcs12, "wrong"), HasSubstr("with this password"));
  EXPECT_THAT(server_of(one.pkcs12, ""), HasSubstr("without a password"));
  EXPECT_THAT(server_of(STANDPIPE_STORES "/server.jks", ""), HasSubstr("its key can't be opened without a password"));
  EXPECT_THAT(server_of(one.trust, ""), HasSubstr("holds no key"));
  std::ofstream(folder.file("jceks"), std::ios::binary) << "\xce\xce\xce\xce and more";
  EXPECT_THAT(server_of(folder.file("jceks"), ""), HasSubstr("-srcstoretype JCEKS"));
  std::ofstream(folder.file("text")) << "no store at all";
  EXPECT_THAT(server_of(folder.file("text"), ""), HasSubstr("neither PEM nor PKCS12 nor JKS"));
  EXPECT_THAT(
      TlsContext::server({.keys = {one.pem, ""}, .limits = {.include_protocols = {"SSLv3"}}}).status().message(),
      HasSubstr("leave no version"));
  EXPECT_THAT(
      TlsContext::server({.keys = {one.pem, ""}, .limits = {.include_ciphers = {"TLS_NONE"}}}).status().message(),
      HasSubstr("leave no suite"));
}

}  // namespace
}  // namespace standpipe
