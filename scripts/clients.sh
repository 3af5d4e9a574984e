#!/usr/bin/env bash
# Tries third-party OpenAI clients, unchanged, against pepbench serve-sim: the official
# npm client and Vercel's AI SDK, in the versions of scripts/clients/package-lock.json.
# Needs node 20 and npm; they are installed in a temporary folder, which is removed.
# Exits with 1 if anything fails.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x bin/pepbench ] || { echo "bin/pepbench is not there; run make build" >&2; exit 2; }
dir=$(mktemp -d)
servers=()
stop() {
	for s in "${servers[@]}"; do
		kill -INT "$s" 2>/dev/null || true
		wait "$s" || true
	done
	rm -rf "$dir"
}
trap stop EXIT

# serve NAME FLAG...: starts a server and puts its base URL into the variable.
serve() {
	local name=$1 url=
	shift
	mkfifo "$dir/$name"
	bin/pepbench serve-sim --addr 127.0.0.1:0 "$@" >"$dir/$name" &
	servers+=("$!")
	exec {from}<"$dir/$name"
	read -r url <&"$from"
	export "$name=$url"
	cat <&"$from" >/dev/null & # what it says at the end
}

export KEY=clients-$RANDOM$RANDOM
serve PLAIN
serve BUSY --fault-429 1 --most-faults 1 --retry-after 1s
serve LOCKED --require-key KEY

cp scripts/clients/*.js scripts/clients/package*.json "$dir"
cd "$dir"
npm ci --ignore-scripts --no-audit --no-fund --silent
echo "node $(node --version), $(npm ls --depth=0 --parseable --long 2>/dev/null | sed -n 's|.*node_modules/[^:]*:\([^:]*\).*|\1|p' | paste -sd' ' -)"
status=0
for client in openai aisdk; do
	node "$client.js" || status=1
done
exit $status
