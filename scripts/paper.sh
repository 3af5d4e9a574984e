#!/usr/bin/env bash
# Runs configs/paper.yaml, and configs/paper-survey.yaml on every survey that is named,
# and puts figures, tables and the paper's claims beside them into results/paper:
#   paper.sh [--train|--readme] [DIR|NAME=DIR]...      folders of profiles.csv and dims.csv
# With --train the policies are trained and nothing else is done. What is there already
# is not done again. With --readme what is there is put where the README shows it, and
# nothing is run.
set -euo pipefail
cd "$(dirname "$0")/.."
train=
if [ "${1:-}" = --readme ]; then
	out=results/paper
	[ -e "$out/tables/claims.md" ] || { echo "paper.sh: nothing in $out: make paper first" >&2; exit 2; }
	for f in tree adaptivity; do
		cp "$out/medical/figures/$f.png" "results/readme/paper-$f.png"
	done
	part=$(mktemp)
	trap 'rm -f "$part"' EXIT
	{
		cat "$out/tables/claims.md"
		echo
		echo '![The first questions of every strategy, medical](results/readme/paper-tree.png)'
		echo
		echo '![Follow-up adaptivity of every strategy, medical](results/readme/paper-adaptivity.png)'
		echo
		echo 'The policies behind it (rewards: alignment by the profile judge; train, random and the best fixed order on the training episodes; mean, least and most of the seeds):'
		echo
		echo '| Domain | seeds | train | dev | random | best fixed order | undertrained | clones of pep, % | of unseen histories, % |'
		echo '|:---|---:|---:|---:|---:|---:|---:|---:|---:|'
		for d in medical math social commonsense; do
			awk -F, -v d="$d" '
				function put(k, v) { s[k] += v; n[k]++; if (n[k] == 1 || v < lo[k]) lo[k] = v; if (n[k] == 1 || v > hi[k]) hi[k] = v }
				function show(k) { return n[k] ? sprintf("%.1f (%.1f to %.1f)", s[k] / n[k], lo[k], hi[k]) : "–" }
				NR > 1 { put("train", $7); put("dev", $8); put("random", $9); put("fixed", $10); under += $18 == "true"; if ($20 != "") { cloned = sprintf("%.1f of %d", 100 * $21, $20); unseen = $23 == "" ? "–" : sprintf("%.1f of %d", 100 * $23, $22) } }
				END { printf "| %s | %d | %s | %s | %s | %s | %d of %d | %s | %s |\n", d, n["train"], show("train"), show("dev"), show("random"), show("fixed"), under, n["train"], cloned, unseen }
			' "$out/$d/tables/policies.csv"
		done
	} >"$part"
	scripts/part.sh paper "$part"
	exit
fi
if [ "${1:-}" = --train ]; then
	train=1
	shift
fi
surveys=()
for arg in ${*//,/ }; do
	dir=${arg#*=}
	name=${arg%%=*}
	if [ "$name" = "$arg" ]; then
		name=$(basename "$dir")
	fi
	if [ ! -e "$dir/dims.csv" ] && [ ! -e "$dir/dims.csv.gz" ]; then
		echo "paper.sh: no dims.csv in '$dir' (from the repository's root); SURVEYS: DIR or NAME=DIR, separated by commas or spaces; no space, comma or = in a folder's name" >&2
		exit 2
	fi
	surveys+=("$name=$dir")
done
if [ -n "$train" ]; then
	bin/pepbench train-policy configs/paper.yaml
else
	bin/pepbench run configs/paper.yaml
fi
runs=()
for s in ${surveys[@]+"${surveys[@]}"}; do
	name=paper-${s%%=*}
	runs+=("results/$name")
	set -- configs/paper-survey.yaml --set "name=$name" --set "domain.path=${s#*=}"
	if [ -n "$train" ]; then
		bin/pepbench train-policy "$@"
	else
		bin/pepbench run "$@"
	fi
done
if [ -z "$train" ]; then
	bin/pepbench paper results/paper ${runs[@]+"${runs[@]}"} --out results/paper
fi
