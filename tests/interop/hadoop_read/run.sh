#!/usr/bin/env bash
# run.sh WRITE_SAMPLES: the files of the hdfs sink in every format, read back record for record by Hadoop's own classes,
# by Avro's, and by the zstd and lzop tools where Java can't. Exits 77, saying why, where there is no JDK or Maven.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
write_samples=$1
for tool in java mvn; do
  command -v "$tool" >/dev/null || { echo "hadoop_read: skipped: '$tool' is missing"; exit 77; }
done
flume=$("$here/../flume/install.sh") || { echo "hadoop_read: skipped: Hadoop's classes can't be installed"; exit 77; }
# Hadoop's lz4 codec wants a library that Hadoop's own jars leave out.
extra=${STANDPIPE_CACHE:-$HOME/.cache/standpipe}/hadoop-read
if ! ls "$extra"/lz4-java-*.jar >/dev/null 2>&1; then
  timeout 300 mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
    -Dartifact=org.lz4:lz4-java:1.7.1 -DoutputDirectory="$extra" >&2 || echo "hadoop_read: no lz4-java" >&2
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$write_samples" "$work"
java -cp "$flume/lib/*:$extra/*" "$here/ReadFiles.java" "$work" 2>"$work/log" || { cat "$work/log"; exit 1; }

by_tool() { # CASE: what Java has no library for is read by the codec's own tool
  case $1 in
    stream-zstandard* | headers-zstandard*) command -v zstd >/dev/null && cat "$work/$1"/* | zstd -dc ;;
    stream-lzop* | headers-lzop*) command -v lzop >/dev/null && for file in "$work/$1"/*; do lzop -dc <"$file"; done ;;
    *) return 1 ;;
  esac
}

may_be_unable() { # CASE: only what a library or a tool is missing for; all else that can't be read is our fault
  case $1 in
    *-lz4*) ! ls "$extra"/lz4-java-*.jar >/dev/null 2>&1 ;;
    *-lzop*) ! command -v lzop >/dev/null ;;
    *) return 1 ;;
  esac
}

failed=0 checked=0 skipped=()
for folder in "$work"/*/; do
  name=$(basename "$folder")
  expected=$work/expected.${name%%-*}
  result=$work/$name.read
  if [ -e "$work/$name.unable" ]; then
    result=$work/$name.tool
    if ! by_tool "$name" >"$result"; then
      skipped+=("$name")
      may_be_unable "$name" || failed=1
      continue
    fi
  fi
  checked=$((checked + 1))
  cmp "$expected" "$result" || { echo "hadoop_read: $name: read back otherwise than written"; failed=1; }
done
echo "hadoop_read: $checked formats read back"
if [ ${#skipped[@]} -gt 0 ]; then
  echo "hadoop_read: not read: ${skipped[*]}"
  grep '^ReadFiles:' "$work/log" || true
fi
exit $failed
