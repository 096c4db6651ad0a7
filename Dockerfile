# The image of the service. scripts/check-image.sh runs these steps without a container engine.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Without the workspaces: `demo` is for development.
RUN npm ci --workspaces=false --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev --workspaces=false --no-audit --no-fund

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4444 DATA_DIR=/data
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# The service writes nowhere else, and here only without DATABASE_URL.
RUN mkdir /data && chown node:node /data
# What V8 compiles for a start, which then takes a fifth less processor time. Only a first start, here, writes it.
ENV NODE_COMPILE_CACHE=/app/.compile-cache
RUN mkdir .compile-cache && chown node:node .compile-cache
# The user `node`, as a number: Kubernetes cannot verify runAsNonRoot for a name.
USER 1000:1000
RUN DATA_DIR=/tmp/first-start COLLABORATION_SERVER_SECRET=only-for-the-first-start-0123456789 COLLABORATION_SERVER_ORIGIN=https://example.org timeout --preserve-status 10 node --enable-source-maps dist/server.js && rm -r /tmp/first-start
VOLUME /data
EXPOSE 4444
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/ping`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
CMD ["node", "--enable-source-maps", "dist/server.js"]
