#include "io/memory_file_system.h"

#include <gmock/gmock.h>

#include "io/faulty_file_system.h"

namespace standpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using Operation = FaultyFileSystem::Operation;

std::unique_ptr<File> make(FileSystem& files, const std::string& path, std::string_view content) {
  auto file = files.open(path, FileSystem::Mode::create);
  EXPECT_TRUE(file.ok()) << file.status().message();
  EXPECT_TRUE((*file)->write(content).ok());
  return std::move(file).value();
}

TEST(MemoryFileSystem, APowerCutKeepsSyncedBytesUnderSyncedNames) {
  MemoryFileSystem files;
  ASSERT_TRUE(files.make_directories("/a").ok());
  const auto both = make(files, "/a/both", "12");
  const auto bytes_only = make(files, "/a/bytes", "12");
  ASSERT_TRUE(both->sync().ok());
  ASSERT_TRUE(bytes_only->sync().ok());
  ASSERT_TRUE(both->write("34").ok());
  ASSERT_TRUE(files.remove("/a/bytes").ok());
  ASSERT_TRUE(files.sync_directory("/a").ok());
  ASSERT_TRUE(files.sync_directory("/").ok());
  make(files, "/a/late", "x")->sync().ignore();
  files.power_cut();
  EXPECT_THAT(files.files(), ElementsAre(Pair("/a/both", "12")));
}

TEST(MemoryFileSystem, ARenameSurvivesWholeOrNotAtAll) {
  for (const bool settled : {false, true}) {
    MemoryFileSystem files;
    ASSERT_TRUE(files.make_directories("/a/b").ok());
    make(files, "/a/f", "1")->sync().ignore();
    for (const char* folder : {"/", "/a", "/a/b"}) ASSERT_TRUE(files.sync_directory(folder).ok());
    ASSERT_TRUE(files.rename_new("/a/f", "/a/b/g").ok());
    if (settled) {
      ASSERT_TRUE(files.sync_directory("/a").ok());
    }
    files.power_cut();
    EXPECT_THAT(files.files(), ElementsAre(Pair(settled ? "/a/b/g" : "/a/f", "1")));
  }
}

TEST(MemoryFileSystem, ATornCutKeepsAPrefixOfWhatWasNotSynced) {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    MemoryFileSystem files;
    const auto file = make(files, "/f", "sync");
    ASSERT_TRUE(file->sync().ok() && files.sync_directory("/").ok());
    ASSERT_TRUE(file->write("tail").ok());
    files.power_cut_torn(seed);
    const std::string left = files.files()["/f"];
    EXPECT_TRUE(left.starts_with("sync") && std::string("synctail").starts_with(left)) << left;
  }
}

TEST(MemoryFileSystem, AFullDiskCutsAWriteShort) {
  MemoryFileSystem files;
  files.set_capacity(5);
  auto file = files.open("/f", FileSystem::Mode::create_new);
  EXPECT_EQ((*file)->write("1234567").code(), Code::full);
  EXPECT_EQ(files.files()["/f"], "12345");
  EXPECT_TRUE(files.remove("/f").ok());
  EXPECT_EQ(*files.free_space("/"), 5u);
}

TEST(FaultyFileSystem, FailsWhereAndWhenItWasTold) {
  MemoryFileSystem memory;
  FaultyFileSystem files(memory);
  files.inject({.operation = Operation::write, .path_contains = "bad", .after = 1, .times = 1, .half_done = true});
  const auto good = make(files, "/good", "1");
  const auto bad = make(files, "/bad", "12");
  EXPECT_TRUE(good->write("2").ok());
  EXPECT_EQ(bad->write("3456").code(), Code::io);
  EXPECT_TRUE(bad->write("x").ok());
  EXPECT_THAT(memory.files(), ElementsAre(Pair("/bad", "1234x"), Pair("/good", "12")));
  EXPECT_EQ(files.calls(Operation::write), 5u);
  files.inject({.operation = Operation::sync});
  EXPECT_FALSE(good->sync().ok());
  files.heal();
  EXPECT_TRUE(good->sync().ok());
}

}  // namespace
}  // namespace standpipe
