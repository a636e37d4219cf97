// Writes the same events through the hdfs sink in every file format: write_samples FOLDER. Each case is a folder
// `<reader>-<format>` with files; `expected.<reader>` lists what that reader must print. `…-rolled`: in files of a
// hundred kilobytes; `…-killed`: by a process that is killed with events written and not committed, and one that goes
// on.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "sinks/hdfs/hdfs_sink.h"
#include "support/test_environment.h"
#include "support/test_outlet.h"

namespace standpipe {
namespace {

struct Sample {
  std::string body;
  std::string timestamp;
};

/// Bodies of all lengths, also empty, longer than a codec's buffer, and not ASCII.
std::vector<Sample> samples() {
  std::vector<Sample> all;
  std::uint32_t random = 7;
  for (int i = 0; i < 3000; ++i) {
    random = random * 1664525 + 1013904223;
    std::string body = "event " + std::to_string(i) + " größe ";
    for (std::uint32_t k = 0; k < (random >> 8) % 60; ++k) body += std::to_string(random * (k + 1) >> 12) + " ";
    if (i % 100 == 0) body.clear();
    if (i == 1500) body.append(700'000, 'x');
    all.push_back({std::move(body), std::to_string(1'700'000'000'000 + i)});
  }
  return all;
}

struct Case {
  std::string name;  ///< "<reader>-<format>"
  Settings::Map values;
};

/// The sink of one case, over as many lives of the process as it takes.
class Writing {
 public:
  Writing(const std::string& folder, const Case& which, const std::vector<Sample>& all)
      : all_(all), values_(which.values) {
    values_["hdfs.path"] = "file://" + folder + "/" + which.name;
    values_.emplace("hdfs.rollInterval", "0");
    values_.emplace("hdfs.rollSize", "0");
    values_.emplace("hdfs.rollCount", "2000");  // two files a case
  }

  /// Writes the first events in a process that is killed when some of them are written and not committed. Before
  /// anything else: a process arms its failure points once.
  void write_and_die() {
    const pid_t child = ::fork();
    CHECK(child >= 0);
    if (child == 0) {
      ::setenv("STANDPIPE_FAILPOINTS", "hdfs.before_journal=kill@3", 1);
      write(0, 3);
      ::_exit(1);
    }
    int status = 0;
    CHECK(::waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    done_ = 2;
  }

  void write_rest() { write(done_, (all_.size() + kTurn - 1) / kTurn); }

 private:
  static constexpr std::size_t kTurn = 700;  // a flush every few hundred events: markers, blocks and members

  void write(std::size_t first_turn, std::size_t end_turn) {
    testing::TestOutlet outlet;
    const auto settings = Settings::parse(kHdfsSinkInfo, values_);
    CHECK(settings.ok());
    auto sink = kHdfsSink.create(*settings, world_.environment);
    if (!sink.ok()) std::fprintf(stderr, "%s\n", sink.status().message().c_str());
    CHECK(sink.ok() && (*sink)->start().ok());
    std::size_t put = 0;
    for (std::size_t turn = first_turn; turn < end_turn; ++turn) {
      for (std::size_t i = turn * kTurn; i < std::min((turn + 1) * kTurn, all_.size()); ++i, ++put) {
        outlet.put(all_[i].body, {{"timestamp", all_[i].timestamp}});
      }
      CHECK((*sink)->process(outlet, {}).ok());
    }
    (*sink)->stop();
    CHECK(outlet.committed().size() == put);
  }

  const std::vector<Sample>& all_;
  Settings::Map values_;
  testing::TestEnvironment world_{"k1"};
  std::size_t done_ = 0;
};

/// What `kind` of reader must print.
void write_expected(const std::string& path, const std::vector<Sample>& all, const std::string& kind) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  CHECK(file != nullptr);
  for (const Sample& sample : all) {
    if (kind == "sequence") std::fprintf(file, "%s ", sample.timestamp.c_str());
    if (kind == "avro" || kind == "headers") std::fprintf(file, "{timestamp=%s} ", sample.timestamp.c_str());
    std::fprintf(file, "%s\n", sample.body.c_str());
  }
  std::fclose(file);
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const char* format : {"Text", "Writable"}) {
    for (const char* codec : {"None", "gzip", "bzip2", "DefaultCodec", "deflate", "snappy", "lz4", "zstandard"}) {
      cases.push_back(
          {std::string("sequence-") + format + "-" + codec, {{"hdfs.writeFormat", format}, {"hdfs.codeC", codec}}});
    }
  }
  for (const char* codec : {"gzip", "bzip2", "DefaultCodec", "deflate", "snappy", "lz4", "zstandard", "lzop"}) {
    cases.push_back({std::string("stream-") + codec, {{"hdfs.fileType", "CompressedStream"}, {"hdfs.codeC", codec}}});
    cases.push_back(
        {std::string("headers-") + codec,
         {{"hdfs.fileType", "CompressedStream"}, {"hdfs.codeC", codec}, {"serializer", "HEADER_AND_TEXT"}}});
  }
  cases.push_back({"stream-none", {{"hdfs.fileType", "DataStream"}}});
  cases.push_back({"headers-none", {{"hdfs.fileType", "DataStream"}, {"serializer", "HEADER_AND_TEXT"}}});
  for (const char* codec : {"null", "deflate", "snappy", "bzip2", "zstandard", "xz"}) {
    cases.push_back({std::string("avro-") + codec,
                     {{"hdfs.fileType", "DataStream"},
                      {"hdfs.fileSuffix", ".avro"},
                      {"serializer", "avro_event"},
                      {"serializer.compressionCodec", codec}}});
  }
  return cases;
}

bool has(const Case& which, std::string_view part) { return which.name.find(part) != std::string::npos; }

void write_all(const std::string& folder) {
  const std::vector<Sample> all = samples();
  const std::vector<Case> cases = all_cases();
  std::vector<std::unique_ptr<Writing>> killed;
  for (Case which : cases) {
    // An lzop file is one member with an end mark, which a killed writer leaves out; plain lines are no format.
    if (has(which, "lzop") || has(which, "-none")) continue;
    which.name += "-killed";
    which.values["hdfs.rollCount"] = "0";  // a finished file is not cut any more
    killed.push_back(std::make_unique<Writing>(folder, which, all));
    killed.back()->write_and_die();
  }
  for (const auto& writing : killed) writing->write_rest();
  for (Case which : cases) {
    Writing(folder, which, all).write_rest();
    which.name += "-rolled";
    which.values["hdfs.rollSize"] = "100000";
    which.values["hdfs.rollCount"] = "0";
    Writing(folder, which, all).write_rest();
  }
  for (const char* kind : {"sequence", "stream", "headers", "avro"}) {
    write_expected(folder + "/expected." + kind, all, kind);
  }
}

}  // namespace
}  // namespace standpipe

int main(int count, char** arguments) {
  if (count != 2) return EXIT_FAILURE;
  standpipe::write_all(arguments[1]);
  return EXIT_SUCCESS;
}
