#include "net/jks.h"

#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace standpipe {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kPassword = "changeit";

std::string stored(const std::string& name) {
  std::ifstream file(STANDPIPE_STORES "/" + name, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A DER sequence: what keys and certificates begin as.
bool is_sequence(std::string_view der) { return der.starts_with('\x30') && der.size() > 60; }

TEST(JksTest, ReadsKeysAndCertificates) {
  const std::string bytes = stored("server.jks");
  ASSERT_TRUE(is_jks(bytes));
  const auto store = read_jks(bytes, kPassword);
  ASSERT_TRUE(store.ok()) << store.status().message();
  ASSERT_EQ(store->keys.size(), 1u);
  EXPECT_EQ(store->keys[0].alias, "server");
  ASSERT_EQ(store->keys[0].chain.size(), 1u);
  EXPECT_TRUE(is_sequence(store->keys[0].chain[0]));
  EXPECT_THAT(store->trusted, IsEmpty());
  const auto key = unlock_jks_key(store->keys[0].locked, kPassword);
  ASSERT_TRUE(key.ok()) << key.status().message();
  EXPECT_TRUE(is_sequence(*key));
  const std::string certificates = stored("trusted.jks");
  const auto trusted = read_jks(certificates, kPassword);
  ASSERT_TRUE(trusted.ok()) << trusted.status().message();
  EXPECT_THAT(trusted->keys, IsEmpty());
  ASSERT_EQ(trusted->trusted.size(), 1u);
  EXPECT_EQ(trusted->trusted[0], store->keys[0].chain[0]);
}

TEST(JksTest, APasswordMayHoldAnyCharacter) {
  const std::string bytes = stored("password-unicode.jks");
  const auto store = read_jks(bytes, "größe€\U0001f30a");
  ASSERT_TRUE(store.ok()) << store.status().message();
  ASSERT_EQ(store->keys.size(), 1u);
  EXPECT_TRUE(unlock_jks_key(store->keys[0].locked, "größe€\U0001f30a").ok());
  EXPECT_EQ(read_jks(bytes, "grosse").status().code(), Code::invalid);
}

TEST(JksTest, AWrongPasswordIsTold) {
  const std::string bytes = stored("server.jks");
  EXPECT_THAT(read_jks(bytes, "wrong").status().message(), HasSubstr("with this password"));
  const auto unproved = read_jks(bytes, "");
  ASSERT_TRUE(unproved.ok()) << "certificates need no password";
  EXPECT_THAT(unlock_jks_key(unproved->keys[0].locked, "wrong").status().message(), HasSubstr("-keypasswd"));
}

TEST(JksTest, EachByteCounts) {
  const std::string bytes = stored("server.jks");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    EXPECT_FALSE(read_jks(damaged, kPassword).ok()) << i;
    EXPECT_FALSE(read_jks(bytes.substr(0, i), kPassword).ok()) << i;
    EXPECT_FALSE(read_jks(bytes.substr(0, i), "").ok()) << i;
  }
  const auto store = read_jks(bytes, kPassword);
  const std::string locked(store->keys[0].locked);
  for (std::size_t i = 0; i < locked.size(); ++i) {
    EXPECT_FALSE(unlock_jks_key(locked.substr(0, i), kPassword).ok()) << i;
  }
}

TEST(JksTest, AClaimCostsNothing) {
  std::string many = stored("server.jks").substr(0, 8) + "\xff\xff\xff\xff" + std::string(20, '\0');
  EXPECT_EQ(read_jks(many, "").status().code(), Code::corrupt);
  many = stored("trusted.jks");
  many.replace(8, 4, std::string("\0\0\0\2", 4));
  EXPECT_THAT(read_jks(many, "").status().message(), HasSubstr("ends inside an entry"));
  many.replace(8, 4, std::string("\0\0\0\0", 4));
  EXPECT_THAT(read_jks(many, "").status().message(), HasSubstr("behind its last entry"));
}

}  // namespace
}  // namespace standpipe
