#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>

#include <fmt/format.h>

#include "net/filter_connection.h"
#include "net/tls_context.h"

namespace standpipe {

namespace {

constexpr std::size_t kRecord = 17 * 1024;  // a record of TLS, and what comes round it
constexpr std::size_t kWriteAtOnce = 1 << 20;

/// OpenSSL between two memory buffers: it never sees a socket.
class TlsConnection final : public FilterConnection {
 public:
  TlsConnection(std::unique_ptr<Connection> below, std::shared_ptr<const TlsContext> context, Network& network)
      : FilterConnection(std::move(below), network),
        context_(std::move(context)),
        ssl_(SSL_new(context_->inner().context.get())) {
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);
  }

  void be_server() { SSL_set_accept_state(ssl_.get()); }
  void be_client() { SSL_set_connect_state(ssl_.get()); }

  void attach(standpipe::ConnectionHandler& handler) override {
    FilterConnection::attach(handler);
    shake_hands();  // a client speaks first
  }

  Result<Read> read(char* target, std::size_t room) override {
    for (;;) {
      if (SSL_is_init_finished(ssl_.get()) == 0) shake_hands();
      const int size = SSL_read(ssl_.get(), target, static_cast<int>(std::min<std::size_t>(room, 1 << 30)));
      flush();
      if (size > 0) return Read{static_cast<std::size_t>(size), false};
      const int error = SSL_get_error(ssl_.get(), size);
      if (error == SSL_ERROR_ZERO_RETURN) return Read{0, true};
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return failure();
      TRY_ASSIGN(const Read more, feed());
      if (more.end) return end();
      if (more.size == 0) return Read{};
    }
  }

  void write(std::string bytes) override {
    if (SSL_is_init_finished(ssl_.get()) == 0) {
      early_ += bytes;
      return;
    }
    encrypt(bytes);
  }
  void write(std::shared_ptr<const Slab>, std::string_view bytes) override { write(std::string(bytes)); }

  void finish_writing() override {
    SSL_shutdown(ssl_.get());
    flush();
    below().finish_writing();
  }

  std::size_t unsent() const override { return early_.size() + FilterConnection::unsent(); }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  bool has_more() const override { return SSL_pending(ssl_.get()) > 0 || BIO_ctrl_pending(in_) > 0; }

  void shake_hands() {
    ERR_clear_error();
    SSL_do_handshake(ssl_.get());  // what is wrong with it, the next read finds
    flush();
    if (SSL_is_init_finished(ssl_.get()) == 0 || early_.empty()) return;
    encrypt(std::exchange(early_, {}));
  }

  void encrypt(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, kWriteAtOnce);
      const int size = SSL_write(ssl_.get(), piece.data(), static_cast<int>(piece.size()));
      flush();
      if (size <= 0) return;  // the connection is broken: reading finds out
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
  }

  void flush() {
    const std::size_t size = BIO_ctrl_pending(out_);
    if (size == 0) return;
    std::string bytes(size, '\0');
    BIO_read(out_, bytes.data(), static_cast<int>(size));
    below().write(std::move(bytes));
  }

  Result<Read> feed() {
    char bytes[kRecord];
    TRY_ASSIGN(const Read read, below().read(bytes, sizeof bytes));
    if (read.size > 0) BIO_write(in_, bytes, static_cast<int>(read.size));
    return read;
  }

  /// The stream below ended without the end of TLS. Between requests that is a peer that went; the protocol above knows
  /// whether something is missing.
  Result<Read> end() const {
    if (SSL_is_init_finished(ssl_.get()) == 0) {
      return Status(Code::unavailable, fmt::format("{} closed the connection before TLS was agreed upon", peer()));
    }
    return Read{0, true};
  }

  Status failure() const {
    const long verified = SSL_get_verify_result(ssl_.get());
    const std::string complaint = tls_complaint();
    if (verified != X509_V_OK) {
      return {Code::corrupt, fmt::format("the certificate of {} is not trusted ({}): put it, or who signed it, into "
                                         "truststore",
                                         peer(), X509_verify_cert_error_string(verified))};
    }
    return {Code::corrupt,
            fmt::format("no TLS connection with {}: {}; set ssl on both sides, or on neither", peer(), complaint)};
  }

  const std::shared_ptr<const TlsContext> context_;
  const std::unique_ptr<SSL, Free> ssl_;
  BIO* in_ = nullptr;   // ssl_'s
  BIO* out_ = nullptr;  // ssl_'s
  std::string early_;   // written before the handshake was done
};

}  // namespace

std::unique_ptr<Connection> tls_server(std::unique_ptr<Connection> below, std::shared_ptr<const TlsContext> context,
                                       Network& network) {
  auto connection = std::make_unique<TlsConnection>(std::move(below), std::move(context), network);
  connection->be_server();
  return connection;
}

std::unique_ptr<Connection> tls_client(std::unique_ptr<Connection> below, std::shared_ptr<const TlsContext> context,
                                       Network& network) {
  auto connection = std::make_unique<TlsConnection>(std::move(below), std::move(context), network);
  connection->be_client();
  return connection;
}

}  // namespace standpipe
