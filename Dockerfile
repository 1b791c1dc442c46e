# Builds three images: docker build --target gatehouse | mcp-gateway | mcp-tool. deploy/README.md explains how to tag
# and push them; scripts/install-check.sh runs the steps of this file without a container engine.

# A Node 24 image with npm, and one without npm; pass digests to pin them.
ARG BUILD_IMAGE=node:24-trixie-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian13:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /app
# Packages first, so that a change of the sources reuses this layer.
COPY package.json package-lock.json ./
# The optional packages are Node itself, which the image contains. No package needs an install script.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund
# Node strips the types when it loads a file: there is no compile step.
COPY src ./src
COPY LICENSE ./
# The image's user is not the owner of the files; after a checkout with a strict umask it could not read them.
RUN chmod -R a+rX src package.json LICENSE

FROM ${RUNTIME_IMAGE} AS runtime
LABEL org.opencontainers.image.vendor="gatehouse" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
# Separate layers, so that a change of the sources transfers only the sources.
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/src ./src
# Numeric, so that Kubernetes can check runAsNonRoot.
USER 65532:65532

# The sample MCP server; its arguments are the guide's.
FROM runtime AS mcp-tool
LABEL org.opencontainers.image.title="mcp-tool" \
      org.opencontainers.image.description="A sample MCP server with the tool convert_to_markdown"
EXPOSE 8080
ENTRYPOINT ["/nodejs/bin/node", "/app/src/main.ts", "mcp-tool"]

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
ENTRYPOINT ["/nodejs/bin/node", "/app/src/main.ts", "gateway"]

# The control plane, last, so that a build without --target makes it.
FROM runtime AS gatehouse
LABEL org.opencontainers.image.title="gatehouse" \
      org.opencontainers.image.description="An xDS control plane for MCP gateways"
# Gateways (gRPC), and health and metrics (HTTP).
EXPOSE 9977 9092
ENTRYPOINT ["/nodejs/bin/node", "/app/src/main.ts"]
CMD ["serve"]
