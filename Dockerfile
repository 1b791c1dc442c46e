# Builds three images: docker build --target gatehouse | mcp-gateway | mcp-tool. deploy/README.md explains how to tag
# and push them; scripts/install-check.sh runs the steps of this file without a container engine.

# A Node 24 image with npm, and the smallest one that has Node and its certificates alone, each by the digest of its index
# for all platforms. docs/releasing.md says how to check and to renew them.
ARG BUILD_IMAGE=node:24-trixie-slim@sha256:173f125896c3b47ddf056734c7ea789d04595a6a08769a8f78e0df642781fb66
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian13:nonroot@sha256:9eeb7f5887d0e239e78264b06f7f11d2e14be534050481803a9e4728fcdd278e

# dist/ is the same on every platform: it is built once, on that of the builder.
FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
WORKDIR /app
# Packages first, so that a change of the sources reuses this layer.
COPY package.json package-lock.json ./
COPY scripts/node/package.json ./scripts/node/
# No package needs an install script.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json LICENSE ./
COPY scripts/build ./scripts/build
COPY src ./src
RUN npm run -s build
# The image's user is not the owner of the files; after a checkout with a strict umask it could not read them.
RUN chmod -R a+rX dist package.json LICENSE

FROM ${RUNTIME_IMAGE} AS runtime
# docker-bake.hcl sets them.
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.vendor="gatehouse" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
ENV NODE_ENV=production
WORKDIR /app
# package.json says that the files are ES modules. No package is installed: dist/ contains what it uses.
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/dist ./dist
# Numeric, so that Kubernetes can check runAsNonRoot.
USER 65532:65532

# The sample MCP server; its arguments are the guide's.
FROM runtime AS mcp-tool
LABEL org.opencontainers.image.title="mcp-tool" \
      org.opencontainers.image.description="A sample MCP server with the tool convert_to_markdown"
EXPOSE 8080
ENTRYPOINT ["/nodejs/bin/node", "/app/dist/main.js", "mcp-tool"]

# The reference MCP gateway; its configuration sets the port, 8080 in the guide.
FROM runtime AS mcp-gateway
LABEL org.opencontainers.image.title="mcp-gateway" \
      org.opencontainers.image.description="A reference MCP gateway that is configured over xDS"
# Large answers come and go: memory returns to the system when it is freed, and less garbage waits to be collected
# (docs/performance.md). A Deployment that sets NODE_OPTIONS repeats the flag.
ENV NODE_OPTIONS=--max-semi-space-size=12 \
    MALLOC_ARENA_MAX=1 \
    MALLOC_MMAP_THRESHOLD_=131072
EXPOSE 8080
ENTRYPOINT ["/nodejs/bin/node", "/app/dist/main.js", "gateway"]

# The control plane, last, so that a build without --target makes it.
FROM runtime AS gatehouse
LABEL org.opencontainers.image.title="gatehouse" \
      org.opencontainers.image.description="An xDS control plane for MCP gateways"
# Gateways (gRPC), and health and metrics (HTTP).
EXPOSE 9977 9092
ENTRYPOINT ["/nodejs/bin/node", "/app/dist/main.js"]
CMD ["serve"]
