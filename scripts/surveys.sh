#!/usr/bin/env bash
# Runs configs/survey.yaml on real surveys and puts what came out where the README
# shows it: surveys.sh NAME=DIR... with the folders of profiles.csv and dims.csv. The
# data are not in this repository, so CI cannot repeat it.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -eq 0 ]; then
	echo "usage: scripts/surveys.sh NAME=DIR...   (make surveys SURVEYS='cuisine=DIR votes=DIR')" >&2
	exit 2
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for arg in "$@"; do
	name=${arg%%=*}
	run=results/survey-$name
	bin/pepbench run configs/survey.yaml --set "domain.path=${arg#*=}" --out "$run" --fresh >/dev/null
	bin/pepbench run configs/survey.yaml --set "domain.path=${arg#*=}" --dry-run 2>/dev/null |
		awk -v n="$name" '$1 == "belief" { if (match($0, /dev score -?[0-9.]+/)) print n "," $2 "," substr($0, RSTART + 10, RLENGTH - 10) }' >>"$out/dev"
	awk -F, -v n="$name" 'NR > 1 { print n "," $0 }' "$run/tables/gain.csv" >>"$out/gain"
	awk -F, -v n="$name" 'NR > 1 { print n "," $0 }' "$run/tables/errors.csv" >>"$out/errors"
done
{
	echo '| Survey | belief | dev log score | value error: random, listing, entropy, twin, **pep** | relevance error: random, listing, entropy, twin, **pep** |'
	echo '|:---|:---|---:|---:|---:|'
	awk -F, '
		FILENAME ~ /dev$/ { key = $1 "," $2; score[key] = $3; keys[n++] = key; if (!($1 in best) || $3 > score[best[$1]]) best[$1] = key; next }
		$7 == 5 { v[$1 "," $2 "," $6] = $8 }
		function show(s, b, m, places,   r, i, x, f) {
			f = "%." places "f"
			split("random+" b ";listing+" b ";static+" b ";twin-" b "+" b ";pep-" b "+" b, r, ";")
			x = ""
			some = 0
			for (i = 1; i <= 5; i++) {
				y = v[s "," r[i] "," m]
				some = some || y + 0 > 5e-5
				y = y == "" ? "–" : sprintf(f, y)
				x = x (i > 1 ? ", " : "") (i == 5 ? "**" y "**" : y)
			}
			return some ? x : "–" # everybody holds everything: nothing to predict
		}
		END { for (i = 0; i < n; i++) { split(keys[i], k, ",")
			printf "| %s | %s%s | %.3f | %s | %s |\n", k[1], k[2], best[k[1]] == keys[i] ? " (chosen on dev)" : "", score[keys[i]], show(k[1], k[2], "held_mae", 3), show(k[1], k[2], "brier", 4) } }
	' "$out/dev" "$out/errors"
	echo
	echo 'Errors of the whole profile after five questions, told answers included; less is better. Below, pep minus its twin under each model, and minus the other orders under the model chosen on dev, after three, five and ten questions, paired by person (95% intervals; \~: unresolved; –: everybody holds every item, and there is no relevance to predict):'
	echo
	echo '| Survey | belief | pep minus | value error @3 | @5 | @10 | relevance error @3 | @5 | @10 | alignment @3 | @5 | @10 |'
	echo '|:---|:---|:---|---:|---:|---:|---:|---:|---:|---:|---:|---:|'
	awk -F, '
		FILENAME ~ /dev$/ { keys[n++] = $1 "," $2; if (!($1 in best) || $3 > score[$1]) { best[$1] = $2; score[$1] = $3 } next }
		$2 ~ /^pep-/ { split($2, p, "+"); split($3, a, "+"); what = $4 == "twin" ? "twin" : a[1]; if ($4 != "twin" && a[2] != p[2]) next; v[$1 "," p[2] "," what "," $5 "," $6] = $7 "," $8 "," $9 "," $13 }
		function cell(key, f,   x, s) {
			if (!(key in v)) return "–"
			split(v[key], x, ",")
			if (x[1] == "" || f == ".4f" && x[1]^2 + x[2]^2 + x[3]^2 < 1e-8) return "–"
			s = sprintf("%+" f " [%" f ", %" f "]%s", x[1], x[2], x[3], x[4] == "true" ? "" : " \\~")
			return s
		}
		END { split("random listing static twin", against, " ")
			for (i = 0; i < n; i++) { split(keys[i], k, ",")
				for (j = 1; j <= 4; j++) {
					if (j < 4 && best[k[1]] != k[2]) continue # in full in the tables of the run
					printf "| %s | %s | %s |", k[1], k[2], against[j] == "static" ? "entropy" : against[j]
					for (m = 1; m <= 3; m++) {
						f = m == 1 ? ".3f" : m == 2 ? ".4f" : ".1f"
						measure = m == 1 ? "held_mae" : m == 2 ? "brier" : "alignment"
						split("3 5 10", at, " ")
						for (q = 1; q <= 3; q++) printf " %s |", cell(k[1] "," k[2] "," against[j] "," measure "," at[q], f)
					}
					printf "\n"
				} } }
	' "$out/dev" "$out/gain"
} >"$out/part"
scripts/part.sh surveys "$out/part"
