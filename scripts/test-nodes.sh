#!/usr/bin/env bash
# Runs the core of the tests (service, stores, conversion) on other versions of Node.js, which npm has as packages.
# NODES=24.22.3 names the versions.
set -euo pipefail
cd "$(dirname "$0")/.."

read -ra versions <<< "${NODES:-22.23.5 24.22.3 26.12.1}"
# Files that take no more than 90 s on two cores.
core=(
  test/app.test.ts test/routes/{collaboration-ws,convert,credentials,document}.test.ts
  test/service/{hocuspocus,matrix}.test.ts test/store/lmdb/lmdb-store.test.ts test/store/postgres/postgres-store.test.ts
  test/convert/{convert,converter,formats}.test.ts test/workers/{document-threads,pool}.test.ts
)
package=node-linux-$(node -p process.arch)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/y-provider/nodes

# Prints the folder of the program `node` of a version; fetches it if it is not in the cache.
fetch() {
  local folder=$cache/$1
  if [[ ! -x $folder/bin/node ]]; then
    local packed
    packed=$(mktemp -d)
    npm pack --silent --pack-destination "$packed" "$package@$1" > /dev/null
    tar --extract --gzip --directory="$packed" --file="$packed/$package-$1.tgz" package/bin/node
    mkdir -p "$cache"
    rm -rf "$folder"
    mv "$packed/package" "$folder"
    rm -r "$packed"
  fi
  echo "$folder/bin"
}

for version in "${versions[@]}"; do
  path=$(fetch "$version"):$PATH
  echo "--- Node.js $(PATH=$path node --version)"
  # One line for each file, each failure, and the count.
  PATH=$path node scripts/test.mjs "${core[@]}" |
    grep --text -E '^ok|^ *not ok|^# \{'
done
