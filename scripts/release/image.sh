#!/usr/bin/env bash
# Builds the image for amd64 and arm64 and puts it where everybody finds it, with its version and as latest.
#
#   image.sh VERSION
#
# Needs docker with buildx, logged in. PYTHON as in build.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
version=${1:?usage: image.sh VERSION}
python=${PYTHON:-.venv/bin/python}
image=$("$python" scripts/release/names.py image)
repository=$("$python" scripts/release/names.py repository)

docker buildx build --platform linux/amd64,linux/arm64 --push \
    --tag "$image:$version" --tag "$image:latest" \
    --build-arg "VERSION=$version" \
    --build-arg "REVISION=$(git rev-parse HEAD)" \
    --build-arg "SOURCE=https://github.com/$repository" \
    --provenance=true --sbom=true .
