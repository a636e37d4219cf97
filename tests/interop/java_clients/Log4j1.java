import org.apache.log4j.Logger;
import org.apache.log4j.PropertyConfigurator;

/** Log4j1 PROPERTIES COUNT: logs COUNT lines as the file configures it, one that is not ASCII, and a list of two. */
public class Log4j1 {
  public static void main(String[] arguments) {
    PropertyConfigurator.configure(arguments[0]);
    Logger logger = Logger.getLogger("shop.orders");
    for (int i = 0; i < Integer.parseInt(arguments[1]); i++) logger.info("line " + i);
    logger.warn("gr\u00f6\u00dfe \u65e5\u672c");
    logger.error(java.util.Arrays.asList("one of two", "two of two"));
    org.apache.log4j.LogManager.shutdown();
  }
}
