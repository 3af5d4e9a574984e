#!/usr/bin/env bash
# Puts a file between two marks of the README: part.sh NAME FILE [README] replaces what
# stands between <!-- begin: NAME --> and <!-- end: NAME -->. Both marks must be there.
set -euo pipefail
readme=${3:-$(dirname "$0")/../README.md}
if ! grep -qx "<!-- begin: $1 -->" "$readme" || ! grep -qx "<!-- end: $1 -->" "$readme"; then
	echo "$readme has no marks for $1" >&2
	exit 1
fi
new=$(mktemp)
trap 'rm -f "$new"' EXIT
awk -v begin="<!-- begin: $1 -->" -v end="<!-- end: $1 -->" -v part="$2" '
	$0 == begin { print; while ((getline line < part) > 0) print line; skip = 1; next }
	$0 == end { skip = 0 }
	!skip { print }' "$readme" >"$new"
cat "$new" >"$readme"
