#!/usr/bin/env bash
# Runs the grid of beliefs and acquisitions on the four built-in domains and puts a
# table and two heat maps where the README shows them. With --check only the cells of
# the README's table are run again (seconds, not minutes), and must give what is there.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=results/readme
domains="medical math social commonsense"
# Beside what dev chose: the headline's pair, the released one, and a fixed order
# without any structure.
fixed="latent-class,profile-ig naive-bayes,binary-ig independent,fixed"

# cells DOMAIN FOLDER PAIR...: the numbers of some cells, as the lines of grid.csv here.
cells() {
	local d=$1 csv=$2/tables/grid.csv pair
	shift 2
	for pair in "$@"; do
		awk -F, -v d="$d" -v p="$pair" '
			$1 "," $2 == p && ($7 == "alignment" || $7 == "dev_alignment" || $7 == "adaptive_gain") {
				print d "," p "," $7 "," $9 "," $10 "," $11 "," $15 }' "$csv"
	done
}

if [ "${1:-}" = --check ]; then
	run=$(mktemp -d)
	trap 'rm -rf "$run"' EXIT
	cut -d, -f1-3 "$dir/grid.csv" | tail -n +2 | uniq | while IFS=, read -r d belief acquisition; do
		bin/pepbench run configs/grid.yaml --set "domain.name=$d" --out "$run/$d-$belief-$acquisition" --quiet \
			--set "sweep={beliefs.model: [{kind: $belief}], strategies.pep.acquisition: [$acquisition]}" >/dev/null </dev/null
		cells "$d" "$run/$d-$belief-$acquisition" "$belief,$acquisition" >>"$run/grid.csv"
	done
	tail -n +2 "$dir/grid.csv" | cut -d, -f1-8 | cmp - "$run/grid.csv" || {
		tail -n +2 "$dir/grid.csv" | cut -d, -f1-8 | diff - "$run/grid.csv" >&2 || true
		echo "$dir/grid.csv is not what the code gives; run make grid" >&2
		exit 1
	}
	exit 0
fi

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mkdir -p "$dir"
echo 'domain,belief,acquisition,measure,value,lo,hi,resolved,chosen' >"$out/grid.csv"
for d in $domains; do
	bin/pepbench run configs/grid.yaml --set "domain.name=$d" --set "name=grid-$d" --fresh >/dev/null
	chosen=$(awk -F, '$6 == "true" { print $1 "," $2; exit }' "results/grid-$d/tables/grid.csv")
	for pair in $chosen $fixed; do
		[ "$pair" = "$chosen" ] && mark=true || mark=false
		cells "$d" "results/grid-$d" "$pair" | sed "s/\$/,$mark/"
	done | awk '!seen[$0]++' >>"$out/grid.csv"
done
{
	echo '![Alignment by belief and acquisition, medical](results/readme/grid.png)'
	echo
	echo '![Adaptive gain by belief and acquisition, medical](results/readme/gridgain.png)'
	echo
	echo '| Domain | belief, acquisition | alignment on dev | alignment on test | minus its static twin |'
	echo '|:---|:---|---:|---:|---:|'
	awk -F, 'NR > 1 {
		key = $1 "," $2 "," $3
		if (!(key in at)) { at[key] = n; keys[n++] = key }
		chosen[key] = $9
		if ($4 == "dev_alignment") dev[key] = sprintf("%.1f", $5)
		if ($4 == "alignment") test[key] = sprintf("%.1f [%.1f, %.1f]", $5, $6, $7)
		if ($4 == "adaptive_gain") gain[key] = sprintf("%+.1f [%.1f, %.1f]%s", $5, $6, $7, $8 == "true" ? "" : " \\~")
	}
	END { for (i = 0; i < n; i++) { split(keys[i], k, ",")
		printf "| %s | %s, %s%s | %s | %s | %s |\n", k[1], k[2], k[3], chosen[keys[i]] == "true" ? " (**chosen on dev**)" : "", dev[keys[i]], test[keys[i]], gain[keys[i]] } }' "$out/grid.csv"
} >"$out/part"
scripts/part.sh grid "$out/part"
cp "$out/grid.csv" "$dir/grid.csv"
for f in grid gridgain; do
	cp "results/grid-medical/figures/$f.png" "$dir/"
done
