#!/usr/bin/env bash
# The Chromium 86 that desks with old kernels are like, kept in a folder; prints the program's path.
#
#   bash .ci/chromium86.sh FOLDER
#
# It comes with the npm package chrome-aws-lambda (a headless build for Linux x86-64), packed with brotli,
# which node unpacks. Without npm, or on another machine, it says why there is none and fails.
set -euo pipefail
version=5.3.1
folder=$1/chromium-86
say() { echo "$*" >&2; }

if [ -x "$folder/chromium" ]; then
  echo "$folder/chromium"
  exit 0
fi
[ "$(uname -m)" = x86_64 ] || { say "no Chromium 86: it is built for x86_64 only"; exit 1; }
for program in npm node; do
  command -v "$program" >/dev/null || { say "no Chromium 86: $program is wanted to fetch it"; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd "$work"
npm pack --silent "chrome-aws-lambda@$version" >/dev/null || { say "no Chromium 86: npm could not fetch it"; exit 1; }
tar xzf ./*.tgz
cat >unpack.js <<'UNPACK'
const fs = require("fs");
const zlib = require("zlib");
for (const name of ["aws.tar", "chromium", "swiftshader.tar"]) {
  fs.writeFileSync(name, zlib.brotliDecompressSync(fs.readFileSync(`package/bin/${name}.br`)));
}
UNPACK
node unpack.js
mkdir -p kept/swiftshader
tar xf aws.tar -C kept
tar xf swiftshader.tar -C kept/swiftshader
mv chromium kept/chromium
chmod +x kept/chromium
mkdir -p "$1"
rm -rf -- "$folder"
mv kept "$folder"
echo "$folder/chromium"
