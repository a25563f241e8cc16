#!/usr/bin/env bash
# A real Keycloak with the realms of the tests (toktui, and egi set up as EGI's is), on loopback: `keycloak.sh start`, `keycloak.sh stop`.
#
# Needs Java 17 or later, Maven, unzip, curl. Everything goes below target/real; what is there already is used again.
# TOKTUI_KEYCLOAK_PORT (8180) and TOKTUI_KEYCLOAK_MANAGEMENT_PORT (9100) move it.
set -euo pipefail

version=26.7.3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
place=$here/../../target/real
home=$place/keycloak-$version
pid_file=$place/keycloak.pid
log=$place/keycloak.log
port=${TOKTUI_KEYCLOAK_PORT:-8180}
management=${TOKTUI_KEYCLOAK_MANAGEMENT_PORT:-9100}
base=http://127.0.0.1:$port
realm=$base/realms/toktui

fail() {
  echo "keycloak.sh: $*" >&2
  exit 1
}

status() {
  curl -s -o "${2:-/dev/null}" -w '%{http_code}' --max-time 5 --noproxy '*' "$1" || true
}

# Whatever is printed on the way must not get into the address that `start` prints: Maven writes colour codes even where it is quiet.
fetch() {
  local zip=$HOME/.m2/repository/org/keycloak/keycloak-quarkus-dist/$version/keycloak-quarkus-dist-$version.zip
  if [[ ! -f $zip ]]; then
    mvn -B -q dependency:get -Dtransitive=false \
      "-Dartifact=org.keycloak:keycloak-quarkus-dist:$version:zip" </dev/null >&2
  fi
  rm -rf "$home"
  unzip -q "$zip" -d "$place"
}

build() {
  # An option of `start` such as --cache has no effect here.
  "$home/bin/kc.sh" build --db=dev-mem --health-enabled=true --metrics-enabled=false >"$log" 2>&1 ||
    { tail -30 "$log" >&2; fail "the build failed"; }
  touch "$home/built"
}

start() {
  [[ $(status "$base/") == 000 ]] || fail "something answers on port $port already"
  mkdir -p "$place"
  [[ -x $home/bin/kc.sh ]] || fetch
  mkdir -p "$home/data/import"
  cp "$here/keycloak-realm.json" "$home/data/import/toktui-realm.json"
  cp "$here/keycloak-egi-realm.json" "$home/data/import/egi-realm.json"
  [[ -f $home/built ]] || build
  # Without --cache=local it would listen beyond loopback to look for others of its kind.
  KC_BOOTSTRAP_ADMIN_USERNAME=admin KC_BOOTSTRAP_ADMIN_PASSWORD=admin \
  JAVA_OPTS_KC_HEAP="-Xms64m -Xmx320m" JAVA_OPTS_APPEND="-XX:TieredStopAtLevel=1" \
    setsid "$home/bin/kc.sh" start --optimized --cache=local --import-realm \
    --http-enabled=true --hostname="$base" --http-host=127.0.0.1 --http-port="$port" \
    --http-management-host=127.0.0.1 --http-management-port="$management" \
    >"$log" 2>&1 </dev/null &
  local pid=$!
  echo "$pid" >"$pid_file"
  local waited=0
  # The port answers long before the realm does, with 503.
  until [[ $(status "$realm/.well-known/openid-configuration") == 200 ]]; do
    kill -0 "$pid" 2>/dev/null || { tail -30 "$log" >&2; fail "it ended before it was ready"; }
    ((waited < 240)) || { tail -30 "$log" >&2; stop; fail "it was not ready after four minutes"; }
    sleep 1
    waited=$((waited + 1))
  done
  echo "$realm"
}

stop() {
  [[ -f $pid_file ]] || return 0
  local pid
  pid=$(<"$pid_file")
  rm -f "$pid_file"
  # The script's own process group, in which Java runs too.
  kill -TERM -- "-$pid" 2>/dev/null || return 0
  for _ in {1..60}; do
    kill -0 -- "-$pid" 2>/dev/null || return 0
    sleep 0.5
  done
  kill -KILL -- "-$pid" 2>/dev/null || true
}

case ${1:-} in
  start) start ;;
  stop) stop ;;
  *) fail "start or stop?" ;;
esac
