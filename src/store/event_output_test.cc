#include "store/event_output.h"

#include <gmock/gmock.h>

#include "io/file_system.h"
#include "store/local_store.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

/// Counts the writes that a file gets and keeps its bytes.
class RecordingFile final : public StoreFile {
 public:
  Status write(std::string_view bytes) override {
    bytes_ += bytes;
    from_.push_back(bytes.data());
    return fails_ ? Status(Code::io, "no") : Status();
  }
  Status flush() override { return {}; }
  Status close() override { return {}; }
  std::uint64_t size() const override { return bytes_.size(); }

  std::string bytes_;
  std::vector<const char*> from_;
  bool fails_ = false;
};

class EventOutputTest : public ::testing::Test {
 protected:
  std::unique_ptr<EventSerializer> serializer(std::string_view type, const Settings::Map& values = {}) {
    auto factory = SerializerFactory::make(type, values);
    EXPECT_TRUE(factory.ok()) << factory.status().message();
    return (*factory)();
  }
  /// The lines of `text`, which ends with a line feed, as they lie in it.
  static std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    for (; !text.empty(); text.remove_prefix(lines.back().size() + 1)) lines.push_back(text.substr(0, text.find('\n')));
    return lines;
  }
  void append(EventOutput& output, std::string_view body) { ASSERT_TRUE(output.append({body, &headers_}).ok()); }

  const Headers headers_;
  RecordingFile file_;
};

TEST_F(EventOutputTest, WritesLinesFromWhereTheyLie) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "line " + std::to_string(i) + std::string(50, '.') + "\n";
  const auto plain = serializer("text");
  EventOutput output(file_, *plain);
  for (const std::string_view line : lines_of(text)) append(output, line);
  EXPECT_EQ(output.waiting(), text.size() - 1);
  ASSERT_TRUE(output.finish().ok());
  EXPECT_EQ(file_.bytes_, text);
  EXPECT_EQ(file_.from_.front(), text.data()) << "it was copied";
  EXPECT_EQ(output.waiting(), 0u);
}

TEST_F(EventOutputTest, KeepsTheOrderOfLinesFromSeveralPlaces) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += std::to_string(i) + std::string(40, 'x') + "\n";
  const std::vector<std::string_view> lines = lines_of(text);
  const auto plain = serializer("text");
  EventOutput output(file_, *plain);
  std::string expected;
  const auto add = [&](std::string_view body) {
    append(output, body);
    expected.append(body).append("\n");
  };
  add("from elsewhere");
  for (const std::string_view line : lines) add(line);
  add("");
  add(std::string_view());
  add(lines[5]);
  add(lines[6]);
  add(lines[6]);
  add(lines[8]);
  for (const std::string_view line : lines) add(line);
  ASSERT_TRUE(output.flush().ok());
  add("last");
  ASSERT_TRUE(output.finish().ok());
  EXPECT_EQ(file_.bytes_, expected);
}

TEST_F(EventOutputTest, DoesNotTakeOtherBytesBetweenBodiesForTheEnding) {
  const std::string text = "one\rtwo three";
  const auto plain = serializer("text");
  EventOutput output(file_, *plain);
  append(output, std::string_view(text).substr(0, 3));
  append(output, std::string_view(text).substr(4, 3));
  append(output, std::string_view(text).substr(8));
  ASSERT_TRUE(output.finish().ok());
  EXPECT_EQ(file_.bytes_, "one\ntwo\nthree\n");
}

TEST_F(EventOutputTest, WorksWithoutAnEnding) {
  const std::string text = "onetwo";
  const auto bare = serializer("text", {{"appendNewline", "false"}});
  EventOutput output(file_, *bare);
  append(output, std::string_view(text).substr(0, 3));
  append(output, std::string_view(text).substr(3));
  append(output, "three");
  ASSERT_TRUE(output.finish().ok());
  EXPECT_EQ(file_.bytes_, "onetwothree");
}

TEST_F(EventOutputTest, LeavesOtherFormsToTheirSerializer) {
  const auto with_headers = serializer("header_and_text");
  EventOutput output(file_, *with_headers);
  append(output, "body");
  ASSERT_TRUE(output.finish().ok());
  EXPECT_EQ(file_.bytes_, "{} body\n");
}

TEST_F(EventOutputTest, PassesOnWhatTheFileSays) {
  file_.fails_ = true;
  const auto plain = serializer("text");
  EventOutput output(file_, *plain);
  append(output, "a");
  EXPECT_EQ(output.flush().code(), Code::io);
}

}  // namespace
}  // namespace standpipe
