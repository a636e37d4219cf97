import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;

/** Log4j2 COUNT: logs COUNT lines, and one that is not ASCII, as -Dlog4j2.configurationFile says. */
public class Log4j2 {
  public static void main(String[] arguments) {
    Logger logger = LogManager.getLogger("shop.orders");
    for (int i = 0; i < Integer.parseInt(arguments[0]); i++) logger.info("line {}", i);
    logger.warn("gr\u00f6\u00dfe \u65e5\u672c");
    LogManager.shutdown();
    System.exit(0);  // the appender leaves its client's threads behind
  }
}
