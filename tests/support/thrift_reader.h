#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "support/sent_event.h"

namespace standpipe::testing {

/// Reads what the programs under test send, by either protocol: only the types that Flume uses, and throws where there
/// is something else. Written down from the protocol; nothing of the code under test is used.
class ThriftReader {
 public:
  ThriftReader(bool compact, std::string message) : compact_(compact), message_(std::move(message)) {}

  struct Head {
    int type;
    std::uint32_t serial;
    std::string name;
  };
  struct Field {
    int id;
    int type;  ///< as the binary protocol numbers it; 0: the structure's end
  };

  Head head() {
    Head head{};
    if (compact_) {
      need(byte() == 0x82);
      const unsigned version_and_type = byte();
      need((version_and_type & 0x1f) == 1);
      head.type = static_cast<int>(version_and_type >> 5);
      head.serial = static_cast<std::uint32_t>(varint());
      head.name = text();
      return head;
    }
    const std::uint32_t version_and_type = word(4);
    need(version_and_type >> 16 == 0x8001);
    head.type = static_cast<int>(version_and_type & 0xff);
    head.name = text();
    head.serial = word(4);
    return head;
  }

  Field field(int last) {
    const unsigned head = byte();
    if (head == 0) return {0, 0};
    if (!compact_) return {static_cast<int>(word(2)), static_cast<int>(head)};
    const int id = head >> 4 == 0 ? static_cast<int>(unzigzag(varint())) : last + static_cast<int>(head >> 4);
    switch (head & 0x0f) {
      case 5: return {id, 8};
      case 8: return {id, 11};
      case 9: return {id, 15};
      case 11: return {id, 13};
      case 12: return {id, 12};
      default: throw std::runtime_error("a type that Flume does not use");
    }
  }
  void need_field(int id, int last, int type) {
    const Field found = field(last);
    need(found.id == id && found.type == type);
  }
  void need_end() { need(byte() == 0); }

  std::int32_t number() { return static_cast<std::int32_t>(compact_ ? unzigzag(varint()) : word(4)); }
  std::string text() { return take(count()); }
  std::size_t list_of_structures() {
    if (!compact_) {
      need(byte() == 12);
      return word(4);
    }
    const unsigned head = byte();
    need((head & 0x0f) == 12);
    return head >> 4 == 15 ? count() : head >> 4;
  }

  SentEvent event() {
    SentEvent event;
    need_field(1, 0, 13);
    if (!compact_) need(word(2) == 0x0b0b);
    std::size_t left = count();
    if (compact_ && left > 0) need(byte() == 0x88);
    for (; left > 0; --left) {
      const std::string name = text();
      event.headers.set(name, text());
    }
    need_field(2, 1, 11);
    event.body = text();
    need_end();
    return event;
  }

  bool at_end() const { return at_ == message_.size(); }

 private:
  static void need(bool true_of_thrift) {
    if (!true_of_thrift) throw std::runtime_error("not what Flume's Thrift protocol has here");
  }
  static std::int64_t unzigzag(std::uint64_t value) {
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }
  std::string take(std::size_t size) {
    need(message_.size() - at_ >= size);
    at_ += size;
    return message_.substr(at_ - size, size);
  }
  unsigned byte() { return static_cast<unsigned char>(take(1)[0]); }
  std::uint32_t word(std::size_t bytes) {
    std::uint32_t value = 0;
    for (; bytes > 0; --bytes) value = value << 8 | byte();
    return value;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const unsigned next = byte();
      value |= std::uint64_t{next & 0x7fu} << shift;
      if (next < 0x80) return value;
    }
    throw std::runtime_error("a number that does not end");
  }
  std::size_t count() { return compact_ ? static_cast<std::size_t>(varint()) : word(4); }

  const bool compact_;
  const std::string message_;
  std::size_t at_ = 0;
};

}  // namespace standpipe::testing
