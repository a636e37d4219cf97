#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace standpipe::testing {

/// A plain blocking client on the loopback address; every wait ends after kPatience.
class TcpClient {
 public:
  explicit TcpClient(std::uint16_t port);
  ~TcpClient();
  TcpClient(const TcpClient&) = delete;
  TcpClient& operator=(const TcpClient&) = delete;

  bool connected() const { return descriptor_ >= 0; }
  /// False when the peer is gone.
  bool send(std::string_view bytes);
  /// No more will be sent; answers can still be read.
  void finish();
  /// The next line without its line feed; empty at the end.
  std::string line();
  /// Up to `size` bytes; fewer at the end.
  std::string bytes(std::size_t size);
  /// Everything until the peer closes.
  std::string rest();

 private:
  bool fill();
  int descriptor_ = -1;
  std::string buffer_;
};

}  // namespace standpipe::testing
