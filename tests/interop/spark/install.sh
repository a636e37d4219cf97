#!/usr/bin/env bash
# install.sh: Spark Streaming 2.4.8 with its Flume receivers, and the job of this folder, in spark-2.4.8 of $STANDPIPE_CACHE
# (default ~/.cache/standpipe). Prints the folder: jars in lib, the job in classes. Needs a JDK and Maven; does nothing when
# the same is there already.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${STANDPIPE_CACHE:-$HOME/.cache/standpipe}/spark-2.4.8
command -v javac >/dev/null || { echo "install.sh: 'javac' is missing: apt-get install default-jdk-headless" >&2; exit 1; }
lib=$("$here/../jars/install.sh" spark-2.4)
mkdir -p "$home"
exec 9>"$home/.lock"
flock 9 # two test runs may start at the same time
[ -L "$home/lib" ] || rm -rf "$home/lib"
ln -sfn "$lib" "$home/lib"
stamp=$(cat "$here/../jars/spark-2.4.xml" "$here/SparkJob.java" "$here/log4j.properties" | sha256sum)
if [ "$(cat "$home/.installed" 2>/dev/null || true)" != "$stamp" ]; then
  rm -rf "$home/classes"
  mkdir "$home/classes"
  javac -nowarn -encoding UTF-8 -cp "$home/lib/*" -d "$home/classes" "$here/SparkJob.java" >&2
  cp "$here/log4j.properties" "$home/classes/"
  echo "$stamp" >"$home/.installed"
fi
echo "$home"
