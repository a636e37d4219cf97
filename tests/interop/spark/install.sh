#!/usr/bin/env bash
# install.sh [FOLDER]: Spark Streaming 2.4.8 with its Flume receivers, and the job of this folder, in FOLDER (default:
# spark-2.4.8 in $STANDPIPE_CACHE, which defaults to ~/.cache/standpipe). Prints the folder: jars in lib, the job in
# classes. Needs a JDK and Maven; does nothing when the same is there already.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${1:-${STANDPIPE_CACHE:-$HOME/.cache/standpipe}/spark-2.4.8}
mkdir -p "$home"
exec 9>"$home/.lock"
flock 9 # two test runs may start at the same time

stamp=$(cat "$here/pom.xml" "$here/SparkJob.java" "$here/log4j.properties" | sha256sum)
if [ "$(cat "$home/.installed" 2>/dev/null || true)" != "$stamp" ]; then
  for tool in java javac mvn; do
    command -v "$tool" >/dev/null || { echo "install.sh: '$tool' is missing: apt-get install default-jdk-headless maven" >&2; exit 1; }
  done
  rm -rf "$home/lib" "$home/classes"
  timeout 900 mvn -q -B -f "$here/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$home/lib" >&2
  mkdir "$home/classes"
  javac -nowarn -encoding UTF-8 -cp "$home/lib/*" -d "$home/classes" "$here/SparkJob.java" >&2
  cp "$here/log4j.properties" "$home/classes/"
  echo "$stamp" >"$home/.installed"
fi
echo "$home"
