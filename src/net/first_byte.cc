#include "net/first_byte.h"

#include <optional>

#include "net/filter_connection.h"

namespace standpipe {

namespace {

/// `below`, and in front of it a byte that was read from it already.
class GivenBack final : public FilterConnection {
 public:
  GivenBack(std::unique_ptr<Connection> below, char byte, Network& network)
      : FilterConnection(std::move(below), network), byte_(byte) {}

  Result<Read> read(char* target, std::size_t room) override {
    if (!byte_ || room == 0) return below().read(target, room);
    *target = *std::exchange(byte_, std::nullopt);
    return Read{1, false};
  }
  void write(std::string bytes) override { below().write(std::move(bytes)); }
  void write(std::shared_ptr<const Slab> slab, std::string_view bytes) override {
    below().write(std::move(slab), bytes);
  }
  void finish_writing() override { below().finish_writing(); }

 private:
  bool has_more() const override { return byte_.has_value(); }
  std::optional<char> byte_;
};

class ByFirstByte final : public Connection, private ConnectionHandler {
 public:
  ByFirstByte(std::unique_ptr<Connection> below, BuildOver build, Network& network)
      : connection_(std::move(below)), build_(std::move(build)), network_(network) {}

  void attach(ConnectionHandler& handler) override {
    handler_ = &handler;
    connection_->attach(*this);
  }
  void resume_reading() override {
    reading_ = true;
    connection_->resume_reading();
  }
  void pause_reading() override {
    reading_ = false;
    connection_->pause_reading();
  }
  Result<Read> read(char* target, std::size_t room) override {
    if (built_) return connection_->read(target, room);
    if (failure_) return *failure_;
    return Read{0, ended_};
  }
  void write(std::string bytes) override { connection_->write(std::move(bytes)); }
  void write(std::shared_ptr<const Slab> slab, std::string_view bytes) override {
    connection_->write(std::move(slab), bytes);
  }
  void cork() override { connection_->cork(); }
  void uncork() override { connection_->uncork(); }
  void finish_writing() override { connection_->finish_writing(); }
  std::size_t unsent() const override { return connection_->unsent(); }
  bool agreed() const override { return built_ && connection_->agreed(); }
  const std::string& peer() const override { return connection_->peer(); }

 private:
  void readable() override {
    char byte = 0;
    const auto read = connection_->read(&byte, 1);
    if (read.ok() && read->size == 1) return build(byte);
    if (read.ok() && !read->end) return;
    ended_ = read.ok();
    if (!read.ok()) failure_ = read.status();
    if (failure_) failure_->ignore();  // who reads hears of it
    handler_->readable();
  }
  void sent() override { handler_->sent(); }
  void failed(const Status& status) override { handler_->failed(status); }

  void build(char byte) {
    built_ = true;
    connection_ = build_(std::make_unique<GivenBack>(std::move(connection_), byte, network_), byte);
    connection_->attach(*handler_);
    if (reading_) connection_->resume_reading();
  }

  std::unique_ptr<Connection> connection_;  // the one below, then what was built over it
  const BuildOver build_;
  Network& network_;
  ConnectionHandler* handler_ = nullptr;
  bool reading_ = false;
  bool built_ = false;
  bool ended_ = false;
  std::optional<Status> failure_;
};

}  // namespace

std::unique_ptr<Connection> by_first_byte(std::unique_ptr<Connection> below, BuildOver build, Network& network) {
  return std::make_unique<ByFirstByte>(std::move(below), std::move(build), network);
}

}  // namespace standpipe
