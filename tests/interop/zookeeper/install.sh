#!/usr/bin/env bash
# install.sh: the jars of an Apache ZooKeeper server in zookeeper-3.8.4 of $STANDPIPE_CACHE, which defaults to ~/.cache/standpipe.
# Prints the folder. Needs a JDK and Maven; does nothing when the same set is there already.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${STANDPIPE_CACHE:-$HOME/.cache/standpipe}/zookeeper-3.8.4
mkdir -p "$home"
exec 9>"$home/.lock"
flock 9 # two test runs may start at the same time

stamp=$(sha256sum <"$here/pom.xml")
if [ "$(cat "$home/.installed" 2>/dev/null || true)" != "$stamp" ]; then
  for tool in java mvn; do
    command -v "$tool" >/dev/null || { echo "install.sh: '$tool' is missing: apt-get install default-jre-headless maven" >&2; exit 1; }
  done
  rm -rf "$home/lib"
  timeout 300 mvn -q -B -f "$here/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$home/lib" >&2
  echo "$stamp" >"$home/.installed"
fi
echo "$home"
