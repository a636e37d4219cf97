#include "store/local_store.h"

#include <gmock/gmock.h>

#include "support/test_environment.h"

namespace standpipe {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class LocalStoreTest : public ::testing::Test {
 protected:
  std::string path(std::string_view name) { return directory_.file(name); }

  testing::TemporaryDirectory directory_;
  LocalStore store_{real_file_system(), LocalStore::Durability::synced};
};

TEST_F(LocalStoreTest, CreatesFoldersWritesAndRenames) {
  auto file = store_.create(path("a/b/c.tmp"));
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_TRUE((*file)->write("hello ").ok());
  EXPECT_TRUE((*file)->write("world").ok());
  EXPECT_EQ((*file)->size(), 11u);
  EXPECT_TRUE((*file)->flush().ok());
  EXPECT_TRUE((*file)->close().ok());
  EXPECT_TRUE(store_.rename(path("a/b/c.tmp"), path("a/d/c")).ok());
  EXPECT_TRUE(store_.settle_names(path("a/d/c")).ok());
  EXPECT_EQ(*store_.read(path("a/d/c"), 6, 100), "world");
  EXPECT_FALSE(*store_.exists(path("a/b/c.tmp")));
  EXPECT_THAT(*store_.list(path("a")), UnorderedElementsAre("b", "d"));
}

TEST_F(LocalStoreTest, NeverOverwrites) {
  ASSERT_TRUE((*store_.create(path("one")))->write("1").ok());
  ASSERT_TRUE((*store_.create(path("two")))->write("2").ok());
  const auto again = store_.create(path("one"));
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.status().code(), Code::invalid);
  EXPECT_THAT(again.status().message(), HasSubstr("exists already"));
  EXPECT_EQ(store_.rename(path("two"), path("one")).code(), Code::invalid);
  EXPECT_EQ(*store_.read(path("one"), 0, 10), "1");
}

TEST_F(LocalStoreTest, AppendsAtTheEndAndRecoversToALength) {
  ASSERT_TRUE((*store_.create(path("f")))->write("0123456789").ok());
  EXPECT_TRUE(store_.recover(path("f"), 4).ok());
  EXPECT_TRUE(store_.recover(path("f"), 100).ok());  // never longer than it was
  ASSERT_TRUE((*store_.append(path("f")))->write("ab").ok());
  EXPECT_EQ(*store_.read(path("f"), 0, 100), "0123ab");
  EXPECT_EQ(store_.append(path("missing")).status().code(), Code::not_found);
}

}  // namespace
}  // namespace standpipe
