#!/usr/bin/env bash
# Runs the four built-in domains and puts their tables and figures where the README
# shows them. With --check nothing is written: the runs must give what is there.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=results/readme
run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT
domains="medical math social commonsense"
for d in $domains; do
	bin/pepbench run "configs/$d.yaml" --out "$run/$d" --quiet >/dev/null
done

# One row a domain: alignment at the final budget, from the tidy table.
summary() {
	echo '| Domain | none | random+latent | static+latent | twin+latent | pep+latent | oracle | pep+latent minus static+latent |'
	echo '|:---|---:|---:|---:|---:|---:|---:|---:|'
	for d in $domains; do
		awk -F, -v d="$d" '
			$5 == "alignment" && $6 <= 5 { a[$1] = $7 }   # rows rise with the number of questions: the one at 5 stays
			$5 == "alignment_difference" && $1 == "pep+latent" { diff = sprintf("%+.1f [%.1f, %.1f]", $7, $8, $9); open = $8 <= 0 && $9 >= 0 }
			$5 == "alignment_difference_p_holm" && $1 == "pep+latent" { open = open || !($7 != "" && $7 < .05) }
			END { printf "| %s | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %s |\n", d, a["none"], a["random+latent"], a["static+latent"], a["twin+latent"], a["pep+latent"], a["oracle"], diff (open ? " \\~" : "") }
		' "$run/$d/tables/main.csv"
	done
}

part=$run/README.part
{
	echo '![Alignment by questions asked, medical](results/readme/alignment.png)'
	echo
	cat "$run/medical/tables/main.md"
	echo
	echo '![Questions asked and questions to target, medical](results/readme/interactions.png)'
	echo
	echo '![Follow-up adaptivity, medical](results/readme/adaptivity.png)'
	echo
	echo 'All four domains, alignment after five questions; "\~" where the difference is not resolved:'
	echo
	summary
} >"$part"
cp README.md "$run/README.md"
scripts/part.sh readme "$part" "$run/README.md"

figures="alignment interactions adaptivity"
if [ "${1:-}" = --check ]; then
	cmp README.md "$run/README.md" || {
		diff README.md "$run/README.md" >&2 || true
		echo "README.md does not show what the code gives; run make readme" >&2
		exit 1
	}
	for f in $figures; do
		cmp "$dir/$f.png" "$run/medical/figures/$f.png" || {
			echo "$dir/$f.png is not what the code draws; run make readme" >&2
			exit 1
		}
	done
	exit 0
fi
mkdir -p "$dir"
for f in $figures; do
	cp "$run/medical/figures/$f.png" "$dir/"
done
cp "$run/README.md" README.md
