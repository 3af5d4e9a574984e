#!/usr/bin/env bash
# Runs the medical benchmark and puts its table and figures where the README shows
# them. With --check nothing is written: the run must give what is there already.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=results/readme
run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT
bin/pepbench run configs/medical.yaml --out "$run" --quiet >/dev/null

table=$run/README.part
{
	echo '![Alignment by questions asked](results/readme/alignment.png)'
	echo
	cat "$run/tables/main.md"
	echo
	echo '![Questions asked and questions to target](results/readme/interactions.png)'
	echo
	echo '![Follow-up adaptivity](results/readme/adaptivity.png)'
} >"$table"
begin='<!-- begin: results of make readme -->'
end='<!-- end: results of make readme -->'
awk -v begin="$begin" -v end="$end" -v part="$table" '
	$0 == begin { print; while ((getline line < part) > 0) print line; skip = 1; next }
	$0 == end { skip = 0 }
	!skip { print }' README.md >"$run/README.md"

if [ "${1:-}" = --check ]; then
	cmp README.md "$run/README.md" || {
		diff README.md "$run/README.md" >&2 || true
		echo "README.md does not show what the code gives; run make readme" >&2
		exit 1
	}
	for f in alignment interactions adaptivity; do
		cmp "$dir/$f.png" "$run/figures/$f.png" || {
			echo "$dir/$f.png is not what the code draws; run make readme" >&2
			exit 1
		}
	done
	exit 0
fi
mkdir -p "$dir"
for f in alignment interactions adaptivity; do
	cp "$run/figures/$f.png" "$dir/"
done
cp "$run/README.md" README.md
