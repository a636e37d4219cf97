#include "support/thrift_server.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "support/thrift_reader.h"

namespace standpipe::testing {

ThriftTestServer::ThriftTestServer(bool compact) : bytes_(compact) {
  start([this](Peer& peer) {
    try {
      serve(peer);
    } catch (const std::runtime_error& error) {
      ADD_FAILURE() << error.what();
    }
  });
}

ThriftTestServer::~ThriftTestServer() { stop(); }

void ThriftTestServer::serve(Peer& peer) {
  std::vector<Request> waiting;
  for (;;) {
    auto request = read_request(peer);
    if (!request) continue;
    waiting.push_back(std::move(*request));
    if (waiting.size() < together()) continue;
    std::reverse(waiting.begin(), waiting.end());
    bool goes_on = true;
    for (const Request& open : waiting) goes_on = answer(peer, open) && goes_on;
    waiting.clear();
    if (!goes_on) return;
  }
}

std::optional<ThriftTestServer::Request> ThriftTestServer::read_request(Peer& peer) {
  ThriftReader reader(bytes_.compact(), peer.raw(peer.word()));
  const ThriftReader::Head head = reader.head();
  EXPECT_EQ(head.type, 1);
  if (head.name == "standpipe.window") {
    reader.need_field(1, 0, 8);
    const unsigned granted = grant_to(static_cast<unsigned>(reader.number()));
    std::string answer;
    if (granted > 0) {
      answer =
          bytes_.head(2, head.name, head.serial) + (bytes_.compact() ? std::string("\5\0", 2) : bytes_.field(0, 0, 8));
      answer += bytes_.number(static_cast<std::int32_t>(granted)) + '\0';
    } else {  // what libthrift's Java processor says to a method that it does not know
      answer = bytes_.head(3, head.name, head.serial) + bytes_.field(1, 0, 11) +
               bytes_.text("Invalid method name: 'standpipe.window'") + bytes_.field(2, 1, 8) + bytes_.number(1) + '\0';
    }
    peer.send(ThriftBytes::frame(answer));
    return {};
  }
  Request request{head.serial, head.name, {}};
  if (head.name == "appendBatch") {
    reader.need_field(1, 0, 15);
    for (std::size_t left = reader.list_of_structures(); left > 0; --left) request.events.push_back(reader.event());
  } else {
    reader.need_field(1, 0, 12);
    request.events.push_back(reader.event());
  }
  reader.need_end();
  EXPECT_TRUE(reader.at_end());
  return request;
}

bool ThriftTestServer::answer(Peer& peer, const Request& request) {
  const Says says = take(request.events);
  if (says == Says::hangs_up) return false;
  if (says == Says::nothing) return true;
  std::string answer;
  if (says == Says::error) {
    answer = bytes_.head(3, request.name, request.serial) + bytes_.field(1, 0, 11) + bytes_.text("no such luck") +
             bytes_.field(2, 1, 8) + bytes_.number(6) + '\0';
  } else {
    answer = bytes_.head(2, request.name, request.serial) +
             (bytes_.compact() ? std::string("\5\0", 2) : bytes_.field(0, 0, 8));
    answer += bytes_.number(says == Says::ok ? 0 : 1) + '\0';
  }
  peer.send(ThriftBytes::frame(answer));
  return true;
}

}  // namespace standpipe::testing
