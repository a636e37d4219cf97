#pragma once

#include <memory>
#include <string>
#include <utility>

#include "net/network.h"

namespace standpipe {

/// A connection that changes the bytes of another one on their way. Sees to it that its handler is called again while
/// there are bytes that were read below and not yet handed out: below there may be nothing left to be told of.
class FilterConnection : public Connection, private ConnectionHandler {
 public:
  FilterConnection(std::unique_ptr<Connection> below, Network& network) : below_(std::move(below)), network_(network) {}

  void attach(ConnectionHandler& handler) override {
    handler_ = &handler;
    below_->attach(*this);
  }
  void resume_reading() override {
    reading_ = true;
    below_->resume_reading();
    call_again();
  }
  void pause_reading() override {
    reading_ = false;
    below_->pause_reading();
  }
  void cork() override { below_->cork(); }
  void uncork() override { below_->uncork(); }
  std::size_t unsent() const override { return below_->unsent(); }
  bool agreed() const override { return below_->agreed(); }
  const std::string& peer() const override { return below_->peer(); }

 protected:
  /// Whether read() could give something without anything new from below.
  virtual bool has_more() const = 0;
  Connection& below() { return *below_; }
  const Connection& below() const { return *below_; }

 private:
  void readable() override {
    const std::weak_ptr<bool> alive = alive_;
    handler_->readable();
    if (!alive.expired()) call_again();
  }
  void sent() override { handler_->sent(); }
  void failed(const Status& status) override { handler_->failed(status); }

  void call_again() {
    if (!reading_ || called_again_ || !has_more()) return;
    called_again_ = true;
    network_.post([this, alive = std::weak_ptr<bool>(alive_)] {
      if (alive.expired()) return;
      called_again_ = false;
      if (reading_) readable();
    });
  }

  const std::unique_ptr<Connection> below_;
  Network& network_;
  ConnectionHandler* handler_ = nullptr;
  bool reading_ = false;
  bool called_again_ = false;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>();  // gone with the connection
};

}  // namespace standpipe
