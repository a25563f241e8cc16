#!/usr/bin/env bash
# Providers of other hands than Keycloak's, npm's oidc-provider, on loopback: `oidc-provider.sh start`, `oidc-provider.sh stop`.
#
# Needs Node 20 or later, npm, curl. Everything goes below target/real; what is there already is used again.
# TOKTUI_OIDC_PROVIDER_PORT (8190) moves it; the strict one is at the port after that.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/oidc-provider
place=$here/../../../target/real
folder=$place/oidc-provider
pid_file=$place/oidc-provider.pid
log=$place/oidc-provider.log
port=${TOKTUI_OIDC_PROVIDER_PORT:-8190}
base=http://127.0.0.1:$port

fail() {
  echo "oidc-provider.sh: $*" >&2
  exit 1
}

status() {
  curl -s -o /dev/null -w '%{http_code}' --max-time 5 --noproxy '*' "$1/.well-known/openid-configuration" || true
}

start() {
  [[ $(status "$base") == 000 ]] || fail "something answers on port $port already"
  mkdir -p "$folder"
  if ! cmp -s "$here/package-lock.json" "$folder/installed"; then
    cp "$here/package.json" "$here/package-lock.json" "$folder"
    npm ci --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" >&2
    cp "$here/package-lock.json" "$folder/installed"
  fi
  setsid node "$here/provider.mjs" "$(cd "$folder" && pwd)" "$port" >"$log" 2>&1 </dev/null &
  local pid=$!
  echo "$pid" >"$pid_file"
  local waited=0
  until [[ $(status "$base") == 200 && $(status "http://127.0.0.1:$((port + 1))") == 200 ]]; do
    kill -0 "$pid" 2>/dev/null || { tail -30 "$log" >&2; fail "it ended before it was ready"; }
    ((waited < 120)) || { tail -30 "$log" >&2; stop; fail "it was not ready after a minute"; }
    sleep 0.5
    waited=$((waited + 1))
  done
  echo "$base"
}

stop() {
  [[ -f $pid_file ]] || return 0
  local pid
  pid=$(<"$pid_file")
  rm -f "$pid_file"
  kill -TERM "$pid" 2>/dev/null || return 0
  for _ in {1..40}; do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.25
  done
  kill -KILL "$pid" 2>/dev/null || true
}

case ${1:-} in
  start) start ;;
  stop) stop ;;
  *) fail "start or stop?" ;;
esac
