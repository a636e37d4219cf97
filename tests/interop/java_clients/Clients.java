import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.flume.Event;
import org.apache.flume.api.RpcClient;
import org.apache.flume.api.RpcClientFactory;
import org.apache.flume.event.EventBuilder;

/** Clients PROPERTIES: a client of Flume's as the file describes it, driven by lines on standard input. Each is answered
 * by "ok", or by what was thrown. Event N is "event N" with a header of the number; "odd" sends what is odd. */
public class Clients {
  public static void main(String[] arguments) throws Exception {
    Properties properties = new Properties();
    properties.load(new FileInputStream(arguments[0]));
    RpcClient client = RpcClientFactory.getInstance(properties);
    System.out.println("ok");
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      try {
        run(client, line.split(" "));
        System.out.println("ok");
      } catch (Exception failure) {
        System.out.println(failure.toString().split("\n")[0]);
      }
    }
    client.close();
  }

  private static void run(RpcClient client, String[] words) throws Exception {
    int first = words.length > 1 ? Integer.parseInt(words[1]) : 0;
    int count = words.length > 2 ? Integer.parseInt(words[2]) : 1;
    switch (words[0]) {
      case "append":
        for (int i = 0; i < count; i++) client.append(numbered(first + i));
        break;
      case "batch":
        client.appendBatch(numbered(first, count));
        break;
      case "threads":
        inThreads(client, first, count);
        break;
      default:
        client.appendBatch(odd());
    }
  }

  private static Event numbered(int number) {
    Map<String, String> headers = new HashMap<>();
    headers.put("number", Integer.toString(number));
    return EventBuilder.withBody("event " + number, StandardCharsets.UTF_8, headers);
  }

  private static List<Event> numbered(int first, int count) {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < count; i++) events.add(numbered(first + i));
    return events;
  }

  /** Eight threads share the client, and so its connection. */
  private static void inThreads(RpcClient client, int first, int count) throws Exception {
    AtomicReference<Exception> failure = new AtomicReference<>();
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 8; t++) {
      int begin = first + t * count / 8;
      int end = first + (t + 1) * count / 8;
      threads.add(new Thread(() -> {
        try {
          for (int i = begin; i < end; i++) client.append(numbered(i));
        } catch (Exception thrown) {
          failure.set(thrown);
        }
      }));
    }
    for (Thread thread : threads) thread.start();
    for (Thread thread : threads) thread.join();
    if (failure.get() != null) throw failure.get();
  }

  private static List<Event> odd() {
    List<Event> events = new ArrayList<>();
    byte[] every = new byte[256];
    for (int i = 0; i < 256; i++) every[i] = (byte) i;
    events.add(EventBuilder.withBody(every));
    events.add(EventBuilder.withBody(new byte[0]));
    byte[] large = new byte[10 << 20];
    for (int i = 0; i < large.length; i++) large[i] = (byte) (i * 7 % 251);
    events.add(EventBuilder.withBody(large));
    Map<String, String> headers = new HashMap<>();
    for (int i = 0; i < 1000; i++) headers.put("name " + i, "value " + i);
    headers.put("gr\u00f6\u00dfe", "\u65e5\u672c \ud83c\udf0a");
    headers.put("empty", "");
    events.add(EventBuilder.withBody("\u0442\u0435\u043b\u043e", StandardCharsets.UTF_8, headers));
    return events;
  }
}
