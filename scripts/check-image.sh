#!/usr/bin/env bash
# Runs the Dockerfile's steps in an empty folder, without a container engine: installs, builds, prunes, starts as the image would, with nothing writable but
# its data, and asks whether it is healthy. Needs Node 20 and the npm registry (or npm's cache).
set -euo pipefail
cd "$(dirname "$0")/.."

app=$(mktemp -d)
data=$(mktemp -d)
service=
finish() { [[ -z $service ]] || kill "$service" 2> /dev/null || true; rm -rf "$app" "$data"; }
trap finish EXIT

echo '--- COPY'
cp -r package.json package-lock.json tsconfig.json tsconfig.build.json src "$app"
cd "$app"
echo '--- RUN npm ci'
npm ci --no-audit --no-fund --loglevel=error
echo '--- RUN npm run build, npm prune'
npm run --silent build
npm prune --omit=dev --no-audit --no-fund --loglevel=error
rm -rf src tsconfig.json tsconfig.build.json package-lock.json
du -sh node_modules dist

echo '--- CMD, on a read-only folder'
chmod -R a-w "$app"
env -i PATH="$PATH" NODE_ENV=production HOST=127.0.0.1 PORT=0 DATA_DIR="$data" COLLABORATION_SERVER_SECRET=only-for-this-check-0123456789 COLLABORATION_SERVER_ORIGIN=https://example.org \
  node --enable-source-maps dist/server.js > "$data/log" 2>&1 &
service=$!
for _ in $(seq 100); do
  url=$(sed -nE 's/.*Server listening at (http:[^"]+).*/\1/p' "$data/log" | head -n 1)
  [[ -n $url ]] && break
  kill -0 "$service" || { cat "$data/log"; exit 1; }
  sleep 0.2
done
port=${url##*:}
echo '--- HEALTHCHECK'
PORT=$port node -e 'fetch(`http://127.0.0.1:${process.env.PORT}/ping`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))'
kill "$service"
wait "$service"
service=
chmod -R u+w "$app"
echo 'The image would build, start, answer and stop.'
