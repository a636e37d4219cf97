import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.streaming.Durations;
import org.apache.spark.streaming.Time;
import org.apache.spark.streaming.api.java.JavaStreamingContext;
import org.apache.spark.streaming.flume.FlumeUtils;
import org.apache.spark.streaming.flume.SparkFlumeEvent;

/**
 * A streaming job that writes down what its Flume receivers give it, a line an event, until it is killed:
 *
 *   SparkJob pull OUT CHECKPOINT BATCH PORT...   createPollingStream, a connection to 127.0.0.1:PORT for each PORT
 *   SparkJob push OUT - BATCH PORT PORT          createStream: listens on the first PORT, on the second with deflate
 *
 * A batch of the job is one file in OUT, which has its name when it is whole. CHECKPOINT "-": none, and no write-ahead
 * log; else both, and a job that was killed goes on where it was.
 */
public final class SparkJob {
  private SparkJob() {}

  public static void main(String[] args) throws Exception {
    boolean durable = !args[2].equals("-");
    JavaStreamingContext context =
        durable ? JavaStreamingContext.getOrCreate(args[2], () -> create(args, true)) : create(args, false);
    context.start();
    System.out.println("started");
    context.awaitTermination();
  }

  private static JavaStreamingContext create(String[] args, boolean durable) {
    SparkConf conf = new SparkConf()
        .setAppName("standpipe-" + args[0])
        .setMaster("local[4]")
        .set("spark.ui.enabled", "false")
        .set("spark.driver.host", "127.0.0.1")
        .set("spark.driver.bindAddress", "127.0.0.1")
        .set("spark.streaming.receiver.writeAheadLog.enable", Boolean.toString(durable));
    JavaStreamingContext context = new JavaStreamingContext(conf, Durations.milliseconds(500));
    if (durable) {
      context.checkpoint(args[2]);
    }
    String out = args[1];
    int batch = Integer.parseInt(args[3]);
    int[] ports = Arrays.stream(args, 4, args.length).mapToInt(Integer::parseInt).toArray();
    if (args[0].equals("pull")) {
      InetSocketAddress[] addresses =
          Arrays.stream(ports).mapToObj(port -> new InetSocketAddress("127.0.0.1", port)).toArray(InetSocketAddress[]::new);
      FlumeUtils.createPollingStream(context, addresses, StorageLevel.MEMORY_AND_DISK_SER(), batch, addresses.length)
          .foreachRDD((rdd, time) -> write(rdd, time, out));
    } else {
      for (int i = 0; i < ports.length; i++) {
        String folder = out + "/" + i;
        FlumeUtils.createStream(context, "127.0.0.1", ports[i], StorageLevel.MEMORY_AND_DISK_SER(), i == 1)
            .foreachRDD((rdd, time) -> write(rdd, time, folder));
      }
    }
    return context;
  }

  private static void write(JavaRDD<SparkFlumeEvent> events, Time time, String folder) throws IOException {
    List<String> lines = events.map(SparkJob::line).collect();
    if (lines.isEmpty()) {
      return;
    }
    Path whole = Paths.get(folder, time.milliseconds() + "-" + ProcessHandle.current().pid());
    Path part = Paths.get(folder, "." + whole.getFileName());
    Files.createDirectories(whole.getParent());
    Files.write(part, lines, StandardCharsets.UTF_8);
    Files.move(part, whole, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Headers by name, and the checksum of the body. */
  private static String line(SparkFlumeEvent received) {
    Map<String, String> headers = new TreeMap<>();
    for (Map.Entry<CharSequence, CharSequence> header : received.event().getHeaders().entrySet()) {
      headers.put(header.getKey().toString(), header.getValue().toString());
    }
    ByteBuffer body = received.event().getBody().duplicate();
    CRC32 checksum = new CRC32();
    checksum.update(body);
    return headers + " " + Long.toHexString(checksum.getValue());
  }
}
