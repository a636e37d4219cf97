#include "sinks/hdfs/hdfs_sink.h"

namespace standpipe {

namespace {

constexpr std::string_view kLocalOnly = "the path is on a local file system, where it has no meaning";
constexpr std::string_view kNoLogin = "file:// needs no login; it counts for hdfs:// paths";

constexpr std::string_view kClasses[] = {"org.apache.flume.sink.hdfs.HDFSEventSink"};

constexpr Option kOptions[] = {
    // -- where
    // ---------------------------------------------------------------------------------------------------------
    {.name = "hdfs.path",
     .kind = Kind::path,
     .help =
         "folder to write to, as file:///absolute/path; escapes such as %Y-%m-%d and %{header} are filled in per event",
     .required = true},
    {.name = "hdfs.pathRoot",
     .kind = Kind::path,
     .help = "no event may lead out of this folder; for paths that begin with an escape"},
    {.name = "hdfs.filePrefix",
     .kind = Kind::text,
     .fallback = "FlumeData",
     .help = "start of each file's name; escapes are filled in"},
    {.name = "hdfs.fileSuffix",
     .kind = Kind::text,
     .help = "end of each file's name (with its dot); empty: the codec's own ending, if any"},
    {.name = "hdfs.fileSuffixEscapes",
     .kind = Kind::boolean,
     .fallback = "false",
     .help = "fill in escapes in hdfs.fileSuffix too"},
    {.name = "hdfs.fileNames",
     .kind = Kind::choice,
     .fallback = "counter",
     .help = "counter: prefix.<number>suffix; unique: prefix and suffix alone, -1, -2 put between them only where the "
             "name is taken; exact: prefix and suffix alone, a taken name is refused",
     .choices = "counter|unique|exact"},
    {.name = "hdfs.inUsePrefix", .kind = Kind::text, .help = "put before the name while the file is written"},
    {.name = "hdfs.inUseSuffix",
     .kind = Kind::text,
     .fallback = ".tmp",
     .help = "put behind the name while the file is written"},
    {.name = "hdfs.emptyInUseSuffix",
     .kind = Kind::boolean,
     .fallback = "false",
     .help = "nothing behind the name while the file is written, whatever hdfs.inUseSuffix says"},
    // -- time
    // ----------------------------------------------------------------------------------------------------------
    {.name = "hdfs.useLocalTimeStamp",
     .kind = Kind::boolean,
     .fallback = "false",
     .help = "take the time for escapes from this machine's clock instead of the header 'timestamp'"},
    {.name = "hdfs.timeZone",
     .kind = Kind::name,
     .help = "zone for time escapes, as Europe/Berlin; empty: the machine's"},
    {.name = "hdfs.round", .kind = Kind::boolean, .fallback = "false", .help = "lower times to a multiple first"},
    {.name = "hdfs.roundUnit",
     .kind = Kind::choice,
     .fallback = "second",
     .help = "unit of hdfs.roundValue",
     .lenient = true,
     .choices = "second|minute|hour"},
    {.name = "hdfs.roundValue",
     .kind = Kind::integer,
     .fallback = "1",
     .help = "times become multiples of this many units: up to 60, hours up to 24",
     .min = 1,
     .max = 60},
    // -- when a file ends
    // ----------------------------------------------------------------------------------------------
    {.name = "hdfs.rollInterval",
     .kind = Kind::duration,
     .fallback = "30",
     .help = "close a file this long after it was opened; 0: never by time",
     .unit = "s",
     .min = 0},
    {.name = "hdfs.rollSize",
     .kind = Kind::integer,
     .fallback = "1024",
     .help = "close a file that holds this many bytes of bodies, before compression; 0: never by size",
     .unit = "bytes",
     .min = 0},
    {.name = "hdfs.rollCount",
     .kind = Kind::integer,
     .fallback = "10",
     .help = "close a file that holds this many events; 0: never by number",
     .unit = "events",
     .min = 0},
    {.name = "hdfs.idleTimeout",
     .kind = Kind::duration,
     .fallback = "0",
     .help = "close a file into which nothing was written for so long; 0: never",
     .unit = "s",
     .min = 0},
    {.name = "hdfs.maxOpenFiles",
     .kind = Kind::integer,
     .fallback = "5000",
     .help = "with more files open than this the least recently used one is closed",
     .min = 1},
    // -- how
    // -----------------------------------------------------------------------------------------------------------
    {.name = "hdfs.batchSize",
     .kind = Kind::integer,
     .fallback = "100",
     .help = "events a lease; several leases share one sync",
     .unit = "events",
     .min = 1},
    {.name = "hdfs.fileSync",
     .kind = Kind::boolean,
     .fallback = "true",
     .help =
         "an event counts as delivered when it is on the disk (fdatasync); false: when it was handed to the operating "
         "system, as Flume does, which a power cut may undo"},
    {.name = "hdfs.fileType",
     .kind = Kind::choice,
     .fallback = "SequenceFile",
     .help =
         "SequenceFile: Hadoop's container; DataStream: what the serializer gives; CompressedStream: that, compressed "
         "with hdfs.codeC",
     .choices = "SequenceFile|DataStream|CompressedStream"},
    {.name = "hdfs.writeFormat",
     .kind = Kind::name,
     .fallback = "Writable",
     .help = "value class of a SequenceFile: Writable (BytesWritable) or Text"},
    {.name = "hdfs.codeC",
     .kind = Kind::name,
     .help = "gzip, bzip2, deflate, snappy, lz4, zstandard, lzop or None; a Hadoop class name too"},
    {.name = "serializer",
     .kind = Kind::type,
     .fallback = "TEXT",
     .help = "what an event becomes in DataStream and CompressedStream files",
     .choices = "serializer"},
    {.name = "serializer.*", .help = "properties of the serializer"},
    {.name = "writeFormat.*",
     .help = "properties of a custom SequenceFile serializer",
     .no_effect = "custom Java serializers can't be loaded; hdfs.writeFormat knows Writable and Text"},
    {.name = "hdfs.writeFormat.*",
     .help = "not read by Flume either",
     .no_effect = "Flume never read it: it looks for writeFormat.* there"},
    // -- failures
    // ------------------------------------------------------------------------------------------------------
    {.name = "hdfs.closeTries",
     .kind = Kind::integer,
     .fallback = "2147483647",
     .help = "how often closing and renaming a file is tried; 0: until it works"},
    {.name = "hdfs.retryInterval",
     .kind = Kind::duration,
     .fallback = "180",
     .help = "pause between those tries; 0: no second try",
     .unit = "s"},
    {.name = "hdfs.callTimeout",
     .kind = Kind::duration,
     .fallback = "30000",
     .help = "how long one HDFS call may take",
     .unit = "ms",
     .no_effect = "a write to a local disk can't be interrupted"},
    // -- of HDFS and the JVM only
    // --------------------------------------------------------------------------------------
    {.name = "hdfs.threadsPoolSize",
     .kind = Kind::integer,
     .fallback = "10",
     .help = "threads for HDFS calls",
     .no_effect = "no threads are needed for them here"},
    {.name = "hdfs.rollTimerPoolSize",
     .kind = Kind::integer,
     .fallback = "1",
     .help = "threads for timed rolls",
     .no_effect = "no threads are needed for them here"},
    {.name = "hdfs.minBlockReplicas",
     .kind = Kind::integer,
     .help = "roll when a block has fewer replicas",
     .min = 0,
     .no_effect = kLocalOnly},
    {.name = "hdfs.useRawLocalFileSystem",
     .kind = Kind::boolean,
     .fallback = "false",
     .help = "write without Hadoop's .crc files",
     .no_effect = "no .crc files are written in any case"},
    {.name = "hdfs.kerberosPrincipal", .kind = Kind::name, .help = "who to log in as", .no_effect = kNoLogin},
    {.name = "hdfs.kerberosKeytab", .kind = Kind::path, .help = "its key table", .no_effect = kNoLogin},
    {.name = "hdfs.proxyUser", .kind = Kind::name, .help = "whom to act for", .no_effect = kNoLogin},
};

}  // namespace

const ComponentInfo kHdfsSinkInfo{
    .kind = ComponentKind::sink,
    .name = "hdfs",
    .class_names = kClasses,
    .summary = "Writes events into files under time- and header-dependent folders, rolled by age, size and number.",
    .options = kOptions,
    .batch_option = "hdfs.batchSize",
    .acknowledges =
        "on the disk (fdatasync of the file and its folder); with hdfs.fileSync=false: handed to the operating "
        "system"};

}  // namespace standpipe
