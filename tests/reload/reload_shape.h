#pragma once

#include <map>
#include <random>
#include <string>

namespace standpipe::testing {

/// A configuration that changes at random. r0 -> c0 -> k0 is always there and never changes; r1 is always there and
/// goes through changing interceptors, selectors and channels; all else comes, changes and goes. Every shape is sound:
/// each source has a channel and each channel a sink.
class ReloadShape {
 public:
  /// `folder` has an existing sub-folder out/<channel>/<sink> for each sink, and the tailed file at tail.log.
  explicit ReloadShape(std::string folder) : folder_(std::move(folder)) {}

  /// One change; says which.
  std::string change(std::mt19937& random);
  /// With every source in place, whatever was removed.
  void complete();
  std::string text() const;
  /// What has to be made anew when it differs, per component ("SINK.k1"): its own lines, and those that its runner
  /// shares. Not what is taken over while it runs: a channel's sizes, what stands behind a source.
  std::map<std::string, std::string> identities() const;

 private:
  using Lines = std::map<std::string, std::string>;
  void make_sound();
  Lines sink_lines() const;
  std::string source_r1() const;
  std::string source_r2() const;
  std::string behind_r1() const;
  std::string group() const;

  std::string folder_;
  bool tail_ = false;
  int tail_batch_ = 100;
  bool c1_ = true;
  bool c2_ = false;
  bool c2_pseudo_ = false;
  int capacity_ = 1000;
  bool to_c1_ = true;  // r1
  bool to_c2_ = false;
  bool tail_to_c2_ = false;
  bool multiplexing_ = false;
  int interceptors_ = 0;
  int stamp_ = 0;
  bool second_sink_ = false;
  int sink_batch_ = 100;
  int group_ = 0;  // 0: none, 1: failover, 2: load_balance
};

/// A file that a running agent must refuse as a whole, made of a sound one; `kind` counts from 0 and wraps.
std::string broken(const std::string& text, unsigned kind);

}  // namespace standpipe::testing
