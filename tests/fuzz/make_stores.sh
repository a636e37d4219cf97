#!/usr/bin/env bash
# make_stores.sh: the key stores under seeds/jks_fuzz, by Java's keytool (version 17). They are also what the tests of TLS
# use; their keys guard nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/seeds/jks_fuzz"
rm -f -- *
password=changeit

# make STORE TYPE ALIAS [PASSWORD] [MORE...]
make() {
  local store=$1 type=$2 alias=$3 secret=${4:-$password}
  keytool "${@:5}" -genkeypair -keyalg EC -groupname secp256r1 -dname "CN=$alias" -validity 36500 -ext san=dns:localhost,ip:127.0.0.1 \
    -alias "$alias" -storetype "$type" -keystore "$store" -storepass "$secret" -keypass "$secret"
}

# trust STORE TYPE ALIAS CERTIFICATE
trust() {
  keytool -importcert -noprompt -alias "$3" -file "$4" -storetype "$2" -keystore "$1" -storepass "$password"
}

export LC_ALL=C.UTF-8
make server.jks JKS server
keytool -exportcert -alias server -keystore server.jks -storepass "$password" -file server.crt
keytool -importkeystore -srckeystore server.jks -srcstorepass "$password" -destkeystore server.p12 -deststoretype PKCS12 -deststorepass "$password"
keytool -J-Dkeystore.pkcs12.legacy -importkeystore -srckeystore server.jks -srcstorepass "$password" \
  -destkeystore server-legacy.p12 -deststoretype PKCS12 -deststorepass "$password"
cp server.jks server-keypass.jks
keytool -keypasswd -alias server -keystore server-keypass.jks -storepass "$password" -keypass "$password" -new another1
trust trusted.jks JKS server server.crt
trust trusted.p12 PKCS12 server server.crt
make client.jks JKS client
keytool -exportcert -alias client -keystore client.jks -storepass "$password" -file client.crt
trust client-trusted.jks JKS client client.crt
# Both kinds of entries in one store.
cp client.jks both.jks
trust both.jks JKS server server.crt
make server.jceks JCEKS server
make password-unicode.jks JKS server 'größe€🌊' -J-Dfile.encoding=UTF-8 -J-Dsun.jnu.encoding=UTF-8
rm server.crt client.crt
