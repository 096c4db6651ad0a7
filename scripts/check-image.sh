#!/usr/bin/env bash
# Runs the Dockerfile's steps in an empty folder, without a container engine: installs, builds, prunes, starts the
# service as an unprivileged user who can write only to the data folder, and runs the health check. Uses the Node.js on
# the PATH, and the npm registry or npm's cache.
set -euo pipefail
cd "$(dirname "$0")/.."

dockerfile=$PWD/Dockerfile
app=$(mktemp -d)
data=$(mktemp -d)
log=$(mktemp)
service=
finish() {
  [[ -z $service ]] || kill "$service" 2> /dev/null || true
  chmod -R u+w "$app"
  rm -rf "$app" "$data" "$log"
}
trap finish EXIT

echo '--- COPY'
cp -r package.json package-lock.json tsconfig.json tsconfig.build.json src "$app"
cd "$app"
echo '--- RUN npm ci'
npm ci --workspaces=false --no-audit --no-fund --loglevel=error
echo '--- RUN npm run build, npm prune'
npm run --silent build
npm prune --omit=dev --workspaces=false --no-audit --no-fund --loglevel=error
rm -rf src tsconfig.json tsconfig.build.json package-lock.json
du -sh node_modules dist

echo '--- RUN the first start, which fills the compile cache (Node.js 22 and later)'
first_start=$(sed -n 's/^RUN \(DATA_DIR=.*\)/\1/p' "$dockerfile")
[[ -n $first_start ]] || { echo 'The Dockerfile starts the service nowhere.'; exit 1; }
NODE_ENV=production HOST=127.0.0.1 PORT=0 NODE_COMPILE_CACHE=$app/.compile-cache bash -ec "$first_start"

echo '--- USER, read_only: an unprivileged user who can write only to the data folder'
# As root, a mount namespace makes the whole system read-only and the process has no capability, as compose.yml asks.
# Otherwise only the program's folder is read-only.
chmod -R a-w,a+rX "$app"
chmod 755 "$app"
jail=()
IFS=: read -r user group < <(sed -n 's/^USER //p' "$dockerfile")
[[ $user =~ ^[1-9][0-9]*$ ]] || { echo 'USER must be a number: Kubernetes cannot verify runAsNonRoot for a name.'; exit 1; }
if (( EUID == 0 )); then
  chown "$user" "$data"
  # shellcheck disable=SC2016
  jail=(unshare --mount bash -c 'mount --make-rprivate / && mount --bind "$0" "$0" && mount -o remount,bind,ro / && exec "$@"' "$data"
    setpriv --reuid="$user" --regid="$group" --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all)
  ! "${jail[@]}" touch "$app/written" "/tmp/written-$$" 2> /dev/null || { echo 'The file system can be written to.'; exit 1; }
fi
# Prints the words of an instruction of the Dockerfile (a JSON list), one on each line.
words() { sed -nE "s/^$1(.*)/\1/p" "$dockerfile" | node -e 'console.log(JSON.parse(fs.readFileSync(0)).join("\n"))'; }
readarray -t command < <(words 'CMD ')
readarray -t health < <(words 'HEALTHCHECK .*CMD ')
echo "--- CMD ${command[*]}"
"${jail[@]}" env -i PATH="$PATH" NODE_ENV=production HOST=127.0.0.1 PORT=0 DATA_DIR="$data" \
  COLLABORATION_SERVER_SECRET=only-for-this-check-0123456789 COLLABORATION_SERVER_ORIGIN=https://example.org \
  "${command[@]}" > "$log" 2>&1 &
service=$!
url=
for _ in $(seq 150); do
  url=$(sed -nE 's/.*Server listening at (http:[^"]+).*/\1/p' "$log" | head -n 1)
  [[ -n $url ]] && break
  kill -0 "$service" || { cat "$log"; exit 1; }
  sleep 0.2
done
port=${url##*:}
echo "--- HEALTHCHECK ${health[*]}"
PORT=$port "${health[@]}"
! PORT=1 "${health[@]}" || { echo 'The health check would call a dead service healthy.'; exit 1; }
ls "$data"
kill "$service"
wait "$service"
service=
chmod -R u+w "$app"
echo 'The image would build, start, answer and stop.'
