#!/usr/bin/env bash
# install.sh [FOLDER]: a runnable Apache Flume 1.11.0 in FOLDER (default: flume-1.11.0 in $STANDPIPE_CACHE, which defaults
# to ~/.cache/standpipe). Prints the folder. Needs a JDK and Maven; does nothing when the same set is there already.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${1:-${STANDPIPE_CACHE:-$HOME/.cache/standpipe}/flume-1.11.0}
mkdir -p "$home"
exec 9>"$home/.lock"
flock 9 # two test runs may start at the same time

stamp=$(sha256sum <"$here/pom.xml")
if [ "$(cat "$home/.installed" 2>/dev/null || true)" != "$stamp" ]; then
  for tool in java mvn; do
    command -v "$tool" >/dev/null || { echo "install.sh: '$tool' is missing: apt-get install default-jre-headless maven" >&2; exit 1; }
  done
  rm -rf "$home/lib"
  timeout 900 mvn -q -B -f "$here/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$home/lib" >&2
  echo "$stamp" >"$home/.installed"
fi
mkdir -p "$home/bin" "$home/conf"
install -m 755 "$here/flume-ng" "$home/bin/flume-ng"
install -m 644 "$here/log4j2.xml" "$home/conf/log4j2.xml"
echo "$home"
