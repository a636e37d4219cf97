#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "net/filter_connection.h"
#include "net/tls_context.h"

namespace standpipe {

namespace {

// Encrypted into memory that the allocator gives out again and again: fresh pages cost more than the cipher.
constexpr std::size_t kWriteAtOnce = 64 * 1024;
constexpr std::size_t kRecordSize = 16 * 1024;   // RFC 8446, section 5.1
constexpr std::size_t kRecordExtra = 64;         // header, tag, padding: at most
constexpr std::size_t kReadAtOnce = 256 * 1024;  // then others have their turn
constexpr int kPiecesAtOnce = 64;                // from below: not all that comes is for the reader
constexpr int kFirstAlert = 1000;                // reasons from here on are what the peer said

/// The way out where a peer has said, with that reason, that it does not go on.
std::string_view remedy(int alert) {
  switch (alert) {
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED: return "; renew the certificate in keystore";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
      return "; put the certificate in keystore, or who signed it, into the truststore of the other side";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED: return "; set keystore: it wants to see a certificate";
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return "; include-protocols and exclude-protocols of the two sides leave no version of TLS to both";
    default: return "";
  }
}

/// OpenSSL on top of a connection: it asks for bytes when it needs some and never sees a socket. An idle one holds no
/// buffer.
class TlsConnection final : public FilterConnection {
 public:
  TlsConnection(std::unique_ptr<Connection> below, std::shared_ptr<const TlsContext> context, Network& network)
      : FilterConnection(std::move(below), network),
        context_(std::move(context)),
        ssl_(SSL_new(context_->inner().context.get())) {
    BIO* bio = BIO_new(bio_method());
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
  }

  void be_server() { SSL_set_accept_state(ssl_.get()); }

  void be_client(const std::string& host) {
    SSL_set_connect_state(ssl_.get());
    in6_addr unused;
    const bool is_address =
        ::inet_pton(AF_INET, host.c_str(), &unused) == 1 || ::inet_pton(AF_INET6, host.c_str(), &unused) == 1;
    if (!is_address) SSL_set_tlsext_host_name(ssl_.get(), host.c_str());
    if (!context_->inner().checks_name) return;
    if (is_address) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), host.c_str());
    } else {
      SSL_set1_host(ssl_.get(), host.c_str());
    }
  }

  void attach(standpipe::ConnectionHandler& handler) override {
    FilterConnection::attach(handler);
    if (SSL_is_server(ssl_.get()) == 0) shake_hands();  // a client speaks first
  }

  Result<Read> read(char* target, std::size_t room) override {
    pieces_left_ = kPiecesAtOnce;
    if (!stopped() && !agreed()) shake_hands();
    if (stopped()) return how_it_stopped();
    ERR_clear_error();
    room = std::min(room, kReadAtOnce);
    std::size_t size = 0;
    int got = 1;
    while (size < room && got > 0) {
      got = SSL_read(ssl_.get(), target + size, static_cast<int>(room - size));
      if (got > 0) size += static_cast<std::size_t>(got);
    }
    flush();
    if (got <= 0) note_stop(got);
    // What was read before an end goes first; the next call tells of it.
    more_ = got > 0 ? SSL_has_pending(ssl_.get()) == 1 : size > 0 && stopped();
    if (size == 0 && stopped()) return how_it_stopped();
    return Read{size, false};
  }

  void write(std::string bytes) override { put(bytes); }
  void write(std::shared_ptr<const Slab>, std::string_view bytes) override { put(bytes); }
  // Small writes share records. Below nothing is held: what goes there is large.
  void cork() override { corked_ = true; }
  void uncork() override {
    corked_ = false;
    put({});
  }

  void finish_writing() override {
    uncork();
    SSL_shutdown(ssl_.get());
    flush();
    below().finish_writing();
  }

  std::size_t unsent() const override { return held_.size() + FilterConnection::unsent(); }
  bool agreed() const override { return SSL_is_init_finished(ssl_.get()) == 1 && below().agreed(); }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  bool has_more() const override { return more_; }

  // -- what OpenSSL calls ---------------------------------------------------------------------------------------------

  static const BIO_METHOD* bio_method() {
    static const BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");
      BIO_meth_set_read(made, [](BIO* bio, char* target, int size) { return of(bio).give(bio, target, size); });
      BIO_meth_set_write(made, [](BIO* bio, const char* bytes, int size) { return of(bio).take(bytes, size); });
      BIO_meth_set_ctrl(made, [](BIO*, int command, long, void*) -> long { return command == BIO_CTRL_FLUSH ? 1 : 0; });
      return made;
    }();
    return method;
  }

  static TlsConnection& of(BIO* bio) { return *static_cast<TlsConnection*>(BIO_get_data(bio)); }

  /// Bytes from below: 0 at the end, -1 where there are none now.
  int give(BIO* bio, char* target, int size) {
    BIO_clear_retry_flags(bio);
    if (below_ended_ || below_failure_) return 0;
    if (pieces_left_-- > 0) {
      auto read = below().read(target, static_cast<std::size_t>(size));
      if (!read.ok()) {
        below_failure_ = read.status();
        below_failure_->ignore();  // note_stop() looks at it
        return 0;
      }
      below_ended_ = read->end;
      if (read->size > 0 || read->end) return static_cast<int>(read->size);
    }
    BIO_set_retry_read(bio);
    return -1;
  }

  int take(const char* bytes, int size) {
    out_.append(bytes, static_cast<std::size_t>(size));
    return size;
  }

  // -- the rest -------------------------------------------------------------------------------------------------------

  void shake_hands() {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    flush();
    if (result <= 0) note_stop(result);
    if (agreed()) put({});
  }

  void put(std::string_view bytes) {
    if (!agreed() || (corked_ && held_.size() + bytes.size() < kWriteAtOnce)) {
      held_ += bytes;
      return;
    }
    if (!held_.empty()) encrypt(std::exchange(held_, {}));
    encrypt(bytes);
  }

  void encrypt(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, kWriteAtOnce);
      out_.reserve(piece.size() + (piece.size() / kRecordSize + 1) * kRecordExtra);
      const int size = SSL_write(ssl_.get(), piece.data(), static_cast<int>(piece.size()));
      flush();
      if (size <= 0) return;  // the connection is broken: reading finds out
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
  }

  void flush() {
    if (!out_.empty()) below().write(std::exchange(out_, {}));
  }

  bool stopped() const { return ended_ || failure_; }

  Result<Read> how_it_stopped() {
    more_ = false;
    if (failure_) return *failure_;
    return Read{0, true};
  }

  /// Why OpenSSL does not go on.
  void note_stop(int result) {
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
    if (below_failure_) {
      failure_ = *below_failure_;
    } else if (error == SSL_ERROR_ZERO_RETURN || (below_ended_ && agreed())) {
      // The stream below may end without the end of TLS. Between requests that is a peer that went; the protocol above
      // knows whether something is missing.
      ended_ = true;
    } else if (below_ended_) {
      failure_ = {Code::unavailable, fmt::format("{} closed the connection before TLS was agreed upon", peer())};
    } else {
      failure_ = failure();
    }
    if (failure_) failure_->ignore();  // who reads on hears of it
  }

  Status failure() const {
    const long verified = SSL_get_verify_result(ssl_.get());
    const int reason = ERR_GET_REASON(ERR_peek_error());
    const std::string complaint = tls_complaint();
    if (verified == X509_V_ERR_HOSTNAME_MISMATCH || verified == X509_V_ERR_IP_ADDRESS_MISMATCH) {
      return {Code::corrupt, fmt::format("the certificate of {} is for another host: name it as its certificate does, "
                                         "or set verify-hostname = false",
                                         peer())};
    }
    if (verified == X509_V_ERR_CERT_HAS_EXPIRED) {
      return {Code::corrupt, fmt::format("the certificate of {} has expired, or who signed it has: renew it", peer())};
    }
    if (verified == X509_V_ERR_CERT_NOT_YET_VALID) {
      return {Code::corrupt,
              fmt::format("the certificate of {} is not valid yet: look at the clocks of both machines", peer())};
    }
    if (verified != X509_V_OK) {
      return {Code::corrupt, fmt::format("the certificate of {} is not trusted ({}): put it, or who signed it, into "
                                         "truststore",
                                         peer(), X509_verify_cert_error_string(verified))};
    }
    if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
      return {Code::corrupt, fmt::format("{} shows no certificate, and need-client-auth = true wants one: give it a "
                                         "keystore",
                                         peer())};
    }
    if (reason >= kFirstAlert) {
      return {Code::corrupt, fmt::format("{} refuses TLS: {}{}", peer(), complaint, remedy(reason))};
    }
    return {Code::corrupt,
            fmt::format("no TLS connection with {}: {}; set ssl on both sides, or on neither", peer(), complaint)};
  }

  const std::shared_ptr<const TlsContext> context_;
  const std::unique_ptr<SSL, Free> ssl_;
  std::string held_;  // written before the handshake was done, or while corked
  std::string out_;   // what OpenSSL has written, until it is handed on in one piece
  bool corked_ = false;
  int pieces_left_ = kPiecesAtOnce;
  bool more_ = false;
  bool ended_ = false;
  bool below_ended_ = false;
  std::optional<Status> failure_;
  std::optional<Status> below_failure_;
};

}  // namespace

std::unique_ptr<Connection> tls_server(std::unique_ptr<Connection> below, std::shared_ptr<const TlsContext> context,
                                       Network& network) {
  auto connection = std::make_unique<TlsConnection>(std::move(below), std::move(context), network);
  connection->be_server();
  return connection;
}

std::unique_ptr<Connection> tls_client(std::unique_ptr<Connection> below, std::shared_ptr<const TlsContext> context,
                                       Network& network, const std::string& host) {
  auto connection = std::make_unique<TlsConnection>(std::move(below), std::move(context), network);
  connection->be_client(host);
  return connection;
}

}  // namespace standpipe
