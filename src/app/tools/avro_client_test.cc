#include "app/tools/avro_client.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/commands.h"
#include "support/avro_server.h"
#include "support/command_answer.h"
#include "support/test_environment.h"

namespace standpipe {
namespace {

using testing::AvroTestServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AvroClientTest : public ::testing::Test {
 protected:
  /// The exit status; what was printed is in `out` and `err`.
  int run(std::vector<std::string> arguments, bool with_address = true) {
    if (with_address) arguments.insert(arguments.begin(), {"-H", "127.0.0.1", "-p", std::to_string(server.port())});
    arguments.insert(arguments.begin(), "avro-client");
    testing::Answer answer = testing::answer_of(run_flume_ng, arguments);
    out = std::move(answer.out);
    err = std::move(answer.err);
    return answer.status;
  }

  std::string write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder.file(name), std::ios::binary) << bytes;
    return folder.file(name);
  }

  testing::TemporaryDirectory folder;
  AvroTestServer server;
  std::string out;
  std::string err;
};

TEST_F(AvroClientTest, SendsTheLinesOfAFile) {
  const std::string file = write("lines", "one\r\n\ntwo\rthree\n" + std::string(200'000, 'x') + "\nno end");
  EXPECT_EQ(run({"-F", file}), 0) << err;
  EXPECT_THAT(server.bodies(), ElementsAre("one", "", "two", "three", std::string(200'000, 'x'), "no end"));
  EXPECT_EQ(out, "");
  EXPECT_EQ(err, "");
}

TEST_F(AvroClientTest, SetsHeadersAndSendsManyLinesInBatches) {
  std::string lines;
  for (int i = 0; i < 250; ++i) lines += "line " + std::to_string(i) + "\n";
  EXPECT_EQ(
      run({"--filename", write("lines", lines), "-R", write("headers", "host = web 1\n# no header\ngröße = ü\n")}), 0)
      << err;
  EXPECT_THAT(server.batches(), ElementsAre(100, 100, 50));
  EXPECT_EQ(server.events()[249].headers, (Headers{{"host", "web 1"}, {"größe", "ü"}}));
}

TEST_F(AvroClientTest, SendsTheFilesOfAFolderAndRenamesThem) {
  write("a.log", "a1\na2\n");
  write("b.log", "b1\n");
  write("old.log.COMPLETED", "old\n");
  EXPECT_EQ(run({"--dirname", folder.path()}), 0) << err;
  EXPECT_THAT(server.bodies(), ::testing::UnorderedElementsAre("a1", "a2", "b1"));
  EXPECT_TRUE(std::filesystem::exists(folder.file("a.log.COMPLETED")));
  EXPECT_TRUE(std::filesystem::exists(folder.file("b.log.COMPLETED")));
}

TEST_F(AvroClientTest, TakesAddressAndMoreFromAFile) {
  const std::string file = write("lines", "1\n2\n3\n");
  const std::string properties =
      write("client.properties",
            "hosts = h1 h2\nhosts.h1 = 127.0.0.1:" + std::to_string(server.port()) + "\nbatch-size = 2\n");
  EXPECT_EQ(run({"-P", properties, "-F", file}, false), 0) << err;
  EXPECT_THAT(server.batches(), ElementsAre(2, 1));
  EXPECT_EQ(run({"-P", write("bad", "hosts = h1\nhosts.h1 = nowhere\n")}, false), 1);
  EXPECT_THAT(err, HasSubstr("host:port"));
  EXPECT_EQ(run({"-P", write("other", "client.type = thrift\nhosts = h1\nhosts.h1 = h:1\n")}, false), 1);
  EXPECT_THAT(err, HasSubstr("client.type = thrift"));
}

TEST_F(AvroClientTest, SaysWhatWentWrong) {
  const std::string file = write("lines", "one\n");
  server.say(AvroTestServer::Says::failed);
  EXPECT_EQ(run({"-F", file}), 1);
  EXPECT_THAT(err, HasSubstr("answered FAILED"));
  EXPECT_EQ(run({"--dirname", folder.path()}), 1);
  EXPECT_TRUE(std::filesystem::exists(file)) << "a file that was not sent keeps its name";
  EXPECT_EQ(run({"-F", folder.file("no such file")}), 1);
  EXPECT_THAT(err, HasSubstr("can't read"));
  EXPECT_EQ(run({"-F", folder.path()}), 1);
  EXPECT_THAT(err, HasSubstr("is a folder: name it by --dirname"));
  EXPECT_EQ(run({"-F", "/proc/self/mem"}), 1) << "opens, and can't be read";
  EXPECT_THAT(err, HasSubstr("/proc/self/mem could not be read to its end"));
  EXPECT_EQ(run({"-H", "127.0.0.1"}, false), 1);
  EXPECT_THAT(err, HasSubstr("--port"));
  EXPECT_EQ(run({"-F", file, "--dirname", folder.path()}), 1);
  EXPECT_THAT(err, HasSubstr("exclude each other"));
  EXPECT_EQ(run({"-p", "70000"}), 1);
  EXPECT_THAT(err, HasSubstr("'70000' is no port"));
  EXPECT_THAT(server.bodies(), IsEmpty());
}

TEST_F(AvroClientTest, PrintsItsHelp) {
  EXPECT_EQ(run({"--help"}, false), 0);
  EXPECT_THAT(out, HasSubstr("--dirname"));
}

}  // namespace
}  // namespace standpipe
