import com.github.luben.zstd.ZstdInputStream;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import org.apache.avro.file.DataFileReader;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.BytesWritable;
import org.apache.hadoop.io.LongWritable;
import org.apache.hadoop.io.SequenceFile;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.io.Writable;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.apache.hadoop.io.compress.CompressionInputStream;
import org.apache.hadoop.io.compress.Decompressor;
import org.apache.hadoop.io.compress.DefaultCodec;

/** Reads each case folder of the argument into `<case>.read`; a codec that this Java can't do leaves `<case>.unable`. */
public class ReadFiles {
  /** Hadoop's zstd codec works through a native library that its jars leave out: the one of Avro's codec stands in. */
  static final Configuration conf = new Configuration() {
    @Override
    public Class<?> getClassByName(String name) throws ClassNotFoundException {
      return name.equals("org.apache.hadoop.io.compress.ZStandardCodec") ? Zstandard.class : super.getClassByName(name);
    }
  };

  public static void main(String[] arguments) throws Exception {
    File[] cases = new File(arguments[0]).listFiles(File::isDirectory);
    Arrays.sort(cases);
    for (File folder : cases) {
      File result = new File(folder.getPath() + ".read");
      try (OutputStream out = new FileOutputStream(result)) {
        File[] files = folder.listFiles((where, name) -> !name.endsWith(".crc"));
        Arrays.sort(files);
        for (File file : files) {
          if (folder.getName().startsWith("sequence-")) sequence(file, out);
          else if (folder.getName().startsWith("avro-")) avro(file, out);
          else stream(file, out);
        }
      } catch (RuntimeException | LinkageError missing) {
        // Hadoop's way to say that a codec's native or Java library is not there.
        result.renameTo(new File(folder.getPath() + ".unable"));
        System.err.println("ReadFiles: " + folder.getName() + ": " + missing);
      }
    }
  }

  static void sequence(File file, OutputStream out) throws Exception {
    try (SequenceFile.Reader reader =
        new SequenceFile.Reader(conf, SequenceFile.Reader.file(new Path(file.toURI())))) {
      LongWritable key = new LongWritable();
      Writable value = reader.getValueClass() == Text.class ? new Text() : new BytesWritable();
      while (reader.next(key, value)) {
        out.write((key.get() + " ").getBytes(StandardCharsets.UTF_8));
        if (value instanceof Text) out.write(((Text) value).copyBytes());
        else out.write(((BytesWritable) value).copyBytes());
        out.write('\n');
      }
    }
  }

  static void stream(File file, OutputStream out) throws Exception {
    Path path = new Path(file.toURI());
    if (file.getParentFile().getName().contains("-none")) {
      Files.copy(file.toPath(), out);
      return;
    }
    CompressionCodec codec = new CompressionCodecFactory(conf).getCodec(path);
    if (codec == null) throw new IllegalStateException("no codec for " + file.getName());
    try (InputStream in = codec.createInputStream(FileSystem.getLocal(conf).getRaw().open(path))) {
      byte[] room = new byte[65536];
      for (int size = in.read(room); size > 0; size = in.read(room)) out.write(room, 0, size);
    }
  }

  static void avro(File file, OutputStream out) throws Exception {
    try (DataFileReader<GenericRecord> reader = new DataFileReader<>(file, new GenericDatumReader<>())) {
      for (GenericRecord event : reader) {
        out.write((event.get("headers") + " ").getBytes(StandardCharsets.UTF_8));
        out.write(((ByteBuffer) event.get("body")).array());
        out.write('\n');
      }
    }
  }

  /** As much of a codec as a reader needs. */
  public static class Zstandard extends DefaultCodec {
    @Override
    public Class<? extends Decompressor> getDecompressorType() {
      return null;
    }

    @Override
    public Decompressor createDecompressor() {
      return null;
    }

    @Override
    public CompressionInputStream createInputStream(InputStream in, Decompressor none) throws IOException {
      return new CompressionInputStream(in) {
        InputStream plain;

        @Override
        public int read() throws IOException {
          byte[] one = new byte[1];
          return read(one, 0, 1) == 1 ? one[0] & 0xff : -1;
        }

        @Override
        public int read(byte[] target, int offset, int size) throws IOException {
          if (plain == null) plain = new ZstdInputStream(in);
          return plain.read(target, offset, size);
        }

        @Override
        public void resetState() {
          plain = null;
        }
      };
    }
  }
}
