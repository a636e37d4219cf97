#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/rpc_client.h"
#include "support/sent_event.h"

namespace standpipe::testing {

/// Calls of a Thrift client as bytes, written down from the protocol: nothing of the code under test is used.
class ThriftBytes {
 public:
  explicit ThriftBytes(bool compact) : compact_(compact) {}

  bool compact() const { return compact_; }
  std::string count(std::size_t value) const;  ///< of bytes or of elements
  std::string number(std::int32_t value) const;
  std::string text(std::string_view bytes) const { return count(bytes.size()) + std::string(bytes); }
  /// What a message begins with; type 1 is a call, 2 a reply, 3 an exception, 4 a one-way call.
  std::string head(int type, std::string_view name, std::uint32_t serial) const;
  /// A field's head, less than 16 behind the one before it (`last`).
  std::string field(int id, int last, char binary_type) const;
  std::string headers(const Headers& headers) const;
  std::string event(const SentEvent& event) const;
  std::string events(const std::vector<SentEvent>& events) const;  ///< as a list

  std::string append(const SentEvent& event, std::uint32_t serial, int type = 1) const;
  std::string append_batch(const std::vector<SentEvent>& events, std::uint32_t serial) const;
  std::string ask_window(unsigned window, std::uint32_t serial) const;

  static std::string frame(std::string_view message);

 private:
  const bool compact_;
};

/// A client of a Thrift source.
class ThriftTestClient final : public RpcTestClient {
 public:
  explicit ThriftTestClient(std::uint16_t port, bool compact = true) : RpcTestClient(port), bytes_(compact) {}

  std::string request(const SentEvent& event) override { return ThriftBytes::frame(bytes_.append(event, next_++)); }
  std::string request(const std::vector<SentEvent>& events) override {
    return ThriftBytes::frame(bytes_.append_batch(events, next_++));
  }
  /// Only sends a message, which must have the serial next().
  bool send(std::string_view message);
  std::string answer() override;
  std::string ask_window(unsigned window) { return send(bytes_.ask_window(window, next_)) ? answer() : ""; }

  std::uint32_t next() const { return next_; }
  const ThriftBytes& bytes() const { return bytes_; }

 private:
  const ThriftBytes bytes_;
  std::uint32_t next_ = 100'000;  // several bytes in the compact protocol
  std::uint32_t answered_ = 100'000;
};

}  // namespace standpipe::testing
