#include "agent/builtin.h"

#include <cstddef>
#include <vector>

#include "channels/file/file_channel.h"
#include "channels/memory/memory_channel.h"
#include "channels/pseudotxn/pseudo_txn_channel.h"
#include "channels/spillablememory/spillable_channel.h"
#include "codec/deserializers/deserializer.h"
#include "codec/serializers/event_serializer.h"
#include "config/known/known.h"
#include "core/selector.h"
#include "core/sink_group.h"
#include "interceptors/host/host_interceptor.h"
#include "interceptors/regex_extractor/regex_extractor_interceptor.h"
#include "interceptors/regex_filter/regex_filter_interceptor.h"
#include "interceptors/remove_header/remove_header_interceptor.h"
#include "interceptors/search_replace/search_replace_interceptor.h"
#include "interceptors/static/static_interceptor.h"
#include "interceptors/timestamp/timestamp_interceptor.h"
#include "interceptors/uuid/uuid_interceptor.h"
#include "sinks/avro/avro_sink.h"
#include "sinks/file_roll/file_roll_sink.h"
#include "sinks/hdfs/hdfs_sink.h"
#include "sinks/logger/logger_sink.h"
#include "sinks/null/null_sink.h"
#include "sinks/spark/spark_sink.h"
#include "sinks/thrift/thrift_sink.h"
#include "sources/avro/avro_source.h"
#include "sources/exec/exec_source.h"
#include "sources/netcat/netcat_source.h"
#include "sources/seq/seq_source.h"
#include "sources/spooldir/spooldir_source.h"
#include "sources/stress/stress_source.h"
#include "sources/taildir/taildir_source.h"
#include "sources/thrift/thrift_source.h"

namespace standpipe {

namespace {

const SourceFactory* const kSources[] = {&kAvroSource,     &kExecSource,   &kNetcatSource,  &kSeqSource,
                                         &kSpooldirSource, &kStressSource, &kTaildirSource, &kThriftSource};
const ChannelFactory* const kChannels[] = {&kFileChannel, &kMemoryChannel, &kPseudoTxnChannel,
                                           &spillable_channel(kMemoryChannel, kFileChannel)};
const SinkFactory* const kSinks[] = {&kAvroSink, &kFileRollSink, &kHdfsSink,  &kLoggerSink,
                                     &kNullSink, &kSparkSink,    &kThriftSink};
const InterceptorFactory* const kInterceptors[] = {
    &kHostInterceptor,          &kRegexExtractorInterceptor, &kRegexFilterInterceptor, &kRemoveHeaderInterceptor,
    &kSearchReplaceInterceptor, &kStaticInterceptor,         &kTimestampInterceptor,   &kUuidInterceptor};

template <typename Factory, std::size_t N>
const Factory* find(const Factory* const (&factories)[N], const ComponentInfo& info) {
  for (const Factory* factory : factories) {
    if (factory->info == &info) return factory;
  }
  return nullptr;
}

template <typename Infos>
void append(std::vector<const ComponentInfo*>& all, const Infos& infos) {
  for (const ComponentInfo* info : infos) all.push_back(info);
}

std::vector<const ComponentInfo*> make_list() {
  std::vector<const ComponentInfo*> all;
  for (const auto* factory : kSources) all.push_back(factory->info);
  for (const auto* factory : kChannels) all.push_back(factory->info);
  for (const auto* factory : kSinks) all.push_back(factory->info);
  for (const auto* factory : kInterceptors) all.push_back(factory->info);
  append(all, selector_infos());
  append(all, sink_processor_infos());
  append(all, serializer_infos());
  for (const ComponentInfo* info : {&kLineDeserializerInfo, &kAvroDeserializerInfo, &kBlobDeserializerInfo})
    all.push_back(info);
  append(all, known_components());
  return all;
}

}  // namespace

const SourceFactory* find_source_factory(const ComponentInfo& info) { return find(kSources, info); }
const ChannelFactory* find_channel_factory(const ComponentInfo& info) { return find(kChannels, info); }
const SinkFactory* find_sink_factory(const ComponentInfo& info) { return find(kSinks, info); }
const InterceptorFactory* find_interceptor_factory(const ComponentInfo& info) { return find(kInterceptors, info); }

std::span<const ComponentInfo* const> all_components() {
  static const std::vector<const ComponentInfo*> all = make_list();
  return all;
}

}  // namespace standpipe
