#!/usr/bin/env bash
# install.sh: a runnable Apache Flume 1.11.0 in flume-1.11.0 of $STANDPIPE_CACHE (default ~/.cache/standpipe). Prints the
# folder. Needs a JDK and Maven; does nothing when the same set is there already.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${STANDPIPE_CACHE:-$HOME/.cache/standpipe}/flume-1.11.0
command -v java >/dev/null || { echo "install.sh: 'java' is missing: apt-get install default-jre-headless" >&2; exit 1; }
lib=$("$here/../jars/install.sh" flume-1.11)
mkdir -p "$home/bin" "$home/conf"
exec 9>"$home/.lock"
flock 9 # two test runs may start at the same time
[ -L "$home/lib" ] || rm -rf "$home/lib"
ln -sfn "$lib" "$home/lib"
install -m 755 "$here/flume-ng" "$home/bin/flume-ng"
install -m 644 "$here/log4j2.xml" "$home/conf/log4j2.xml"
echo "$home"
