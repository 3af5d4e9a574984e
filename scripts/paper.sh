#!/usr/bin/env bash
# Runs configs/paper.yaml, and configs/paper-survey.yaml on every survey that is named,
# and puts figures, tables and the paper's claims beside them into results/paper:
#   paper.sh [--train] [DIR|NAME=DIR]...      folders of profiles.csv and dims.csv
# With --train the policies are trained and nothing else is done. What is there already
# is not done again.
set -euo pipefail
cd "$(dirname "$0")/.."
train=
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
