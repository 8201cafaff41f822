#!/usr/bin/env bash
# What the tests need and pip cannot bring: a browser, for the page that `distortlab view` writes.
# Does nothing where one is there. Debian and Ubuntu; elsewhere install Chromium and run again.
set -euo pipefail
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then
        exit 0
    fi
done
if ! command -v apt-get >/dev/null; then
    echo "no Chromium here and no apt-get to install it with: install Chromium, then run this again" >&2
    exit 1
fi
sudo=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "Chromium is missing; as root: apt-get install chromium" >&2
        exit 1
    fi
    sudo=(sudo)
fi
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium
