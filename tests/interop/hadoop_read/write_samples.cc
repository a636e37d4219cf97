// Writes the same events through the hdfs sink in every file format: write_samples FOLDER. Each case is a folder
// `<reader>-<name>` with files; `expected.<reader>` lists what that reader must print.
#include <cstdio>
#include <cstdlib>
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

void write_case(const std::string& folder, const std::vector<Sample>& all, Settings::Map values) {
  testing::TestEnvironment world("k1");
  testing::TestOutlet outlet;
  values["hdfs.path"] = "file://" + folder;
  values["hdfs.rollInterval"] = "0";
  values["hdfs.rollSize"] = "0";
  values["hdfs.rollCount"] = "2000";  // two files a case
  const auto settings = Settings::parse(kHdfsSinkInfo, values);
  CHECK(settings.ok());
  auto sink = kHdfsSink.create(*settings, world.environment);
  if (!sink.ok()) std::fprintf(stderr, "%s\n", sink.status().message().c_str());
  CHECK(sink.ok() && (*sink)->start().ok());
  for (std::size_t i = 0; i < all.size(); ++i) {
    outlet.put(all[i].body, {{"timestamp", all[i].timestamp}});
    // A flush every few hundred events: markers, blocks and members.
    if (i % 700 == 699 || i + 1 == all.size()) CHECK((*sink)->process(outlet, {}).ok());
  }
  (*sink)->stop();
  CHECK(outlet.committed().size() == all.size());
}

void write_expected(const std::string& path, const std::vector<Sample>& all, const char* kind) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  CHECK(file != nullptr);
  for (const Sample& sample : all) {
    if (std::string_view(kind) == "sequence") std::fprintf(file, "%s ", sample.timestamp.c_str());
    if (std::string_view(kind) == "avro") std::fprintf(file, "{timestamp=%s} ", sample.timestamp.c_str());
    std::fprintf(file, "%s\n", sample.body.c_str());
  }
  std::fclose(file);
}

void write_all(const std::string& folder) {
  const std::vector<Sample> all = samples();
  for (const char* format : {"Text", "Writable"}) {
    for (const char* codec : {"None", "gzip", "bzip2", "DefaultCodec", "deflate", "snappy", "lz4", "zstandard"}) {
      write_case(folder + "/sequence-" + format + "-" + codec, all,
                 {{"hdfs.writeFormat", format}, {"hdfs.codeC", codec}});
    }
  }
  for (const char* codec : {"gzip", "bzip2", "DefaultCodec", "deflate", "snappy", "lz4", "zstandard", "lzop"}) {
    write_case(folder + "/stream-" + codec, all, {{"hdfs.fileType", "CompressedStream"}, {"hdfs.codeC", codec}});
  }
  for (const char* codec : {"null", "deflate", "snappy", "bzip2", "zstandard", "xz"}) {
    write_case(folder + "/avro-" + codec, all,
               {{"hdfs.fileType", "DataStream"},
                {"hdfs.fileSuffix", ".avro"},
                {"serializer", "avro_event"},
                {"serializer.compressionCodec", codec}});
  }
  for (const char* kind : {"sequence", "stream", "avro"}) write_expected(folder + "/expected." + kind, all, kind);
}

}  // namespace
}  // namespace standpipe

int main(int count, char** arguments) {
  if (count != 2) return EXIT_FAILURE;
  standpipe::write_all(arguments[1]);
  return EXIT_SUCCESS;
}
