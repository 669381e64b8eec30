#!/usr/bin/env bash
# Fetches the pinned browser libraries with npm and copies what the pages use to app/web/static/vendor.
# Does nothing when that was done already for this package-lock.json.
#
#   fetch_assets.sh [--dev | --ready]
#     --dev     also fetches what only tests need, into node_modules alone
#     --ready   only tells by its exit code whether there is nothing to fetch
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

vendor=app/web/static/vendor
stamp=$vendor/.package-lock.sha256
sum() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; }
wanted=$(sum <package-lock.json | cut -d' ' -f1)
omitted=(--omit=dev)
[[ ${1:-} != --dev ]] || omitted=()

ready() { [[ -s $stamp && $(cat "$stamp") == "$wanted" ]] && { ((${#omitted[@]})) || [[ -d node_modules/axe-core ]]; }; }

if [[ ${1:-} == --ready ]]; then
    ready
    exit
fi
! ready || exit 0
if ! command -v npm >/dev/null; then
    echo "npm is missing: the pages need it once, to fetch their assets (Debian: apt-get install npm)." >&2
    exit 1
fi

npm ci ${omitted[@]+"${omitted[@]}"} --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
scripts/copy_assets.sh "$vendor"
echo "$wanted" >"$stamp"
