#!/bin/sh
# copy_assets.sh FOLDER: copies from node_modules what the pages use, with the licences.
set -eu
cd "$(dirname "$0")/.."
vendor=$1
mkdir -p "$vendor"
cp node_modules/htmx.org/dist/htmx.min.js \
   node_modules/idiomorph/dist/idiomorph-ext.min.js \
   node_modules/@picocss/pico/css/pico.min.css "$vendor/"
for package in htmx.org idiomorph @picocss/pico; do
    for license in "node_modules/$package"/LICENSE*; do
        cp "$license" "$vendor/LICENSE.${package##*/}.txt"
    done
done
