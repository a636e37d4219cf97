#include <fstream>

#include "contract/source_contract.h"
#include "sources/exec/exec_source.h"

namespace standpipe::testing {
namespace {

/// A command that follows a file from its beginning.
class ExecSubject final : public SourceSubject {
 public:
  std::unique_ptr<Source> make(Environment& environment) override {
    std::ofstream(file_, std::ios::app).flush();
    const auto settings = Settings::parse(
        *kExecSource.info, {{"command", "tail -n +1 -f " + file_}, {"batchSize", "7"}, {"batchTimeout", "5"}});
    return kExecSource.create(*settings, environment).value();
  }

  void produce(std::size_t first, std::size_t count) override {
    std::ofstream out(file_, std::ios::app);
    for (const std::string& line : numbers(first, count)) out << line << "\n";
  }

 private:
  TemporaryDirectory directory_;
  std::string file_ = directory_.file("input");
};

INSTANTIATE_TEST_SUITE_P(Exec, SourceContract,
                         ::testing::Values(SourceUnderTest{[] { return std::make_unique<ExecSubject>(); }}));

}  // namespace
}  // namespace standpipe::testing
