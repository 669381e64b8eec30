#!/usr/bin/env bash
# Publishes the files that build.sh made as the release vVERSION of this commit.
#
#   publish.sh VERSION [FOLDER]
#
# Needs gh, logged in. A release that is there already is left as it is, so that a workflow can be run again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
version=${1:?usage: publish.sh VERSION [FOLDER]}
folder=${2:-dist}

(cd "$folder" && sha256sum --check --quiet SHA256SUMS)
if gh release view "v$version" >/dev/null 2>&1; then
    echo "v$version is published already."
    exit
fi
files=()
for file in "$folder"/*; do
    [[ $file == */NOTES.md ]] || files+=("$file")
done
gh release create "v$version" --target "$(git rev-parse HEAD)" --title "$version" --notes-file "$folder/NOTES.md" "${files[@]}"
