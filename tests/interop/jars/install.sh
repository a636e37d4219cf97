#!/usr/bin/env bash
# install.sh NAME: the jars that NAME.xml beside this file lists, in jars/NAME of $STANDPIPE_CACHE (default
# ~/.cache/standpipe). Prints the folder. Needs Maven; does nothing when the same set is there already.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
pom=$here/$1.xml
home=${STANDPIPE_CACHE:-$HOME/.cache/standpipe}/jars/$1
mkdir -p "$home"
exec 9>"$home/.lock"
flock 9 # two test runs may start at the same time
stamp=$(sha256sum <"$pom")
if [ "$(cat "$home/.installed" 2>/dev/null || true)" != "$stamp" ]; then
  command -v mvn >/dev/null || { echo "install.sh: 'mvn' is missing: apt-get install maven" >&2; exit 1; }
  rm -rf "$home/lib"
  timeout 900 mvn -q -B -f "$pom" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$home/lib" >&2
  echo "$stamp" >"$home/.installed"
fi
echo "$home/lib"
