#!/usr/bin/env bash
# Makes every file of a release in a folder, from this checkout: the same as the release workflow.
#
#   build.sh [FOLDER]      default dist/, which is made anew
#
# PYTHON names a Python that has requirements-dev.txt installed (default: .venv/bin/python).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=${1:-dist}
python=${PYTHON:-.venv/bin/python}

version=$("$python" scripts/release/version.py)
before=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || true)

mkdir -p "$folder"
if [[ -n $(ls -A "$folder") && ! -e $folder/SHA256SUMS ]]; then
    echo "build.sh: $folder holds something that no release put there; name another folder." >&2
    exit 1
fi
find "$folder" -mindepth 1 -maxdepth 1 -type f -delete
scripts/fetch_assets.sh
"$python" scripts/release/bundle.py "$version" "$folder/media-pipeline.tar.gz"
"$python" scripts/release/templates.py "$version" "$folder"
"$python" scripts/release/sbom.py "$version" >"$folder/sbom.cdx.json"
cp scripts/install.sh "$folder/install.sh"
(cd "$folder" && sha256sum -- * >SHA256SUMS)
"$python" scripts/release/notes.py "$version" ${before:+--since "$before"} >"$folder/NOTES.md"
echo "$version"
