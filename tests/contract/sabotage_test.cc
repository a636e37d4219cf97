// A test is believed when it catches a sabotaged program: each case runs one test of the suite in a child process, as
// it is (it must pass) and with one named failure point armed (it must fail). The list is in docs/design/sabotage.md.

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace standpipe {
namespace {

struct Sabotage {
  const char* failpoint;
  const char* program;
  const char* test;
};

constexpr Sabotage kAll[] = {
    {"memory.drop_on_give_back", MEMORY_CHANNEL_TEST, "*ChannelContract.WhatIsGivenBackComesBeforeEverythingYounger/*"},
    {"memory.drop_on_give_back", MEMORY_CHANNEL_MODEL_TEST, "MemoryChannelModel.*"},
    {"memory.publish_at_store", MEMORY_CHANNEL_TEST, "*ChannelContract.WhatIsStoredButNotPublishedCantBeTaken/*"},
    {"file.no_sync", FILE_CHANNEL_TEST, "Forms/FileChannelFaultForms.APowerCutLosesNothingAcknowledged/Clear"},
    {"file.ack_early", FILE_CHANNEL_TEST, "FileChannelTest.SixteenClientsShareSyncs"},
    {"file.checksum_unchecked", FILE_CHANNEL_TEST,
     "Forms/FileChannelFaultForms.AFlippedBitAnywhereLosesAtMostTheEventOrTheEncryptedRecordItHits/Clear"},
    {"file.drop_consumption", FILE_CHANNEL_TEST,
     "FileChannelTest.AKilledChannelHasWhatWasAcknowledgedAndNotWhatWasCommitted"},
    {"file.delete_early", FILE_CHANNEL_TEST, "FileChannelTest.ConsumedSegmentsAreDeletedAndOthersAreNot"},
    {"lease.ignore_fence", MEMORY_CHANNEL_TEST, "*ChannelContract.ARevokedLeaseIsRefusedAndItsEventsGoToAnother/*"},
    {"ingest.ack_early", CORE_TEST, "IngestTest.TheReceiptWaitsForAStoreThatTakesTime"},
    {"interceptor.run_on_retry", CORE_TEST, "IngestTest.InterceptorsRunOnceAlsoWhenTheDeliveryWaits"},
    {"handover.keep_reserved", CORE_TEST, "IngestTest.AFullChannelMakesTheDeliveryWaitAndTheOtherChannelKeepsNothing"},
    {"sink.commit_before_write", CORE_TEST, "BatchSinkTest.AFailedWriteGivesEverythingBack"},
    {"sink.commit_before_write", CONTRACT_TEST, "*SinkContract.LosesNothingWhileTheDestinationFails/*"},
    {"sink.drop_poison", CORE_TEST, "BatchSinkTest.PoisonStaysAndBlocksWhileTheGoodOnesOfItsLeaseCommit"},
    {"group.no_fence", CORE_TEST, "SinkGroupTest.LeasesOfAFailedSinkGoBackBeforeTheStandbyTakesOver"},
    {"group.no_fence", CONTRACT_TEST, "*ProcessorContract.LosesNothingAndRepeatsOnlyWhatWasUndecided/failover"},
    {"lease.ignore_fence", CONTRACT_TEST, "*ProcessorContract.LosesNothingAndRepeatsOnlyWhatWasUndecided/failover"},
    {"group.no_penalty", CONTRACT_TEST, "*ProcessorContract.LosesNothingAndRepeatsOnlyWhatWasUndecided/*backoff"},
    {"group.no_penalty", FAILOVER_MODEL_TEST, "FailoverModel.*"},
    {"group.no_tending", CONTRACT_TEST, "*ProcessorContract.LosesNothingAndRepeatsOnlyWhatWasUndecided/failover"},
    {"group.never_rests", CORE_TEST, "SinkGroupTest.WhoFailsWhileTheOthersWaitForAnswersRests"},
    {"group.never_rests", CONTRACT_TEST,
     "*ProcessorContract.DoesNotSpinOnASinkThatRefusesWhileTheOthersWait/load_balance"},
    {"group.penalty_overflows", FAILOVER_MODEL_TEST, "FailoverModel.ThePenaltyIsFlumesUntilThatOverflows"},
    {"contract.position_before_receipt", CONTRACT_TEST, "*SourceContract.LosesNothingWhileChannelsFail/*"},
    {"memory.no_capacity", MEMORY_CHANNEL_TEST, "*ChannelContract.RefusesWhatHasNoRoomAndTakesItLater/*"},
    {"budget.ignored", BASE_TEST, "MemoryBudget.KeepsAShareForWhatDrains"},
    {"quarantine.ignore_failure", CORE_TEST, "BatchSinkTest.WhatCantBeQuarantinedStays"},
    {"source.not_restarted", CORE_TEST, "RunnerTest.AFailedSourceStartIsTriedAgainEveryThreeSeconds"},
    {"stop.skip_drain", CORE_TEST, "RunnerTest.StopWaitsUntilASlowSinkHasDrainedAll"},
    {"reload.skip_drain", AGENT_TEST, "ShortDrainTest.AReloadIsRefusedWhileAChannelThatWouldEndCantBeDrained"},
    {"reload.no_hold", AGENT_TEST, "AgentTest.SourcesAreHeldWhileTheirChannelIsDrained"},
    {"reload.restart_unchanged", RELOAD_TEST, "ReloadTest.*"},
    {"reload.accept_broken", RELOAD_TEST, "ReloadTest.*"},
    {"spark.commit_before_ack", SPARK_SINK_TEST, "SparkSinkTest.CommitsNothingBeforeTheAcknowledgement"},
    {"rpc.ok_before_receipt", AVRO_SOURCE_TEST, "*RpcSourceContract.AnswersAfterTheReceiptAndInOrder/*"},
    {"rpc.ok_before_receipt", THRIFT_SOURCE_TEST, "*RpcSourceContract.AnswersAfterTheReceiptAndInOrder/*"},
    {"rpc_sink.commit_before_answer", AVRO_SINK_TEST, "AvroSinkTest.CommitsNothingBeforeTheAnswer"},
    {"rpc_sink.commit_before_answer", THRIFT_SINK_TEST, "*ThriftSinkTest.CommitsNothingBeforeTheAnswer/*"},
    {"netcat.ok_before_receipt", NETCAT_SOURCE_TEST, "NetcatSourceTest.AnswersNothingBeforeTheReceipt"},
    {"netcat.no_line_limit", NETCAT_SOURCE_TEST, "NetcatSourceTest.TellsAndDisconnectsWhoSendsTooLongALine"},
    {"taildir.position_before_receipt", TAILDIR_TEST, "TaildirTest.PositionAdvancesOnlyOverStoredBatches"},
    {"spooldir.rename_before_receipt", SPOOLDIR_TEST, "SpooldirTest.AFileKeepsItsNameUntilAllOfItIsStored"},
    {"file_roll.commit_before_write", FILE_ROLL_SINK_TEST,
     "FileRollSinkTest.AFailedWriteGivesEverythingBackAndLeavesNoHalfEvent"},
    {"hdfs.commit_before_sync", HDFS_SINK_TEST, "HdfsSinkTest.CommittedEventsSurviveAPowerCut"},
    {"hdfs.rename_before_close", HDFS_SINK_TEST, "HdfsSinkTest.AFileGetsItsFinalNameWhenItIsWhole"},
    {"hdfs.leave_path_root", HDFS_SINK_TEST, "HdfsSinkTest.NoEventLeavesThePathRoot"},
    {"config.print_secret", CONFIG_TEST, "Diagnostics.NoTextShowsASecret"},
};

/// Exit status of `program` running `test`; -1 when a signal ended it.
int run(const Sabotage& sabotage, bool armed) {
  const std::string filter = "--gtest_filter=" + std::string(sabotage.test);
  const pid_t child = ::fork();
  if (child == 0) {
    if (armed)
      ::setenv("STANDPIPE_FAILPOINTS", (std::string(sabotage.failpoint) + "=sabotage").c_str(), 1);
    else
      ::unsetenv("STANDPIPE_FAILPOINTS");
    ::setenv("STANDPIPE_SEED", "1", 1);  // where a test draws its cases by chance
    // What the child says about a failure that is wanted would only confuse.
    if (std::freopen("/dev/null", "w", stdout) == nullptr || std::freopen("/dev/null", "w", stderr) == nullptr)
      ::_exit(3);
    ::execl(sabotage.program, sabotage.program, filter.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class SabotageTest : public ::testing::TestWithParam<Sabotage> {};

TEST_P(SabotageTest, IsCaught) {
#ifndef STANDPIPE_FAILPOINTS
  GTEST_SKIP() << "built without failure points";
#endif
  ASSERT_EQ(run(GetParam(), false), 0) << GetParam().test << " fails without any sabotage";
  const int status = run(GetParam(), true);
  EXPECT_NE(status, 0) << GetParam().test << " does not notice " << GetParam().failpoint;
  EXPECT_NE(status, 127) << "can't run " << GetParam().program;
}

std::string name_of(const ::testing::TestParamInfo<Sabotage>& info) {
  std::string name = std::string(info.param.failpoint) + "_" + std::to_string(info.index);
  for (char& c : name) c = c == '.' ? '_' : c;
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, SabotageTest, ::testing::ValuesIn(kAll), name_of);

}  // namespace
}  // namespace standpipe
