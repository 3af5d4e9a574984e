#!/usr/bin/env bash
# Formatting, vet, staticcheck, and a go.mod that is tidy.
set -euo pipefail
cd "$(dirname "$0")/.."
bad=$(go tool gofumpt -l $(git ls-files '*.go'))
if [ -n "$bad" ]; then
	printf 'gofumpt would change:\n%s\n' "$bad" >&2
	exit 1
fi
go vet ./...
go tool staticcheck ./...
go mod tidy -diff
