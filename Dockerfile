# One build, three images: docker build --target gatehouse | mcp-gateway | mcp-tool. deploy/README.md says how to tag and
# push them; scripts/install-check.sh runs the steps of this file without a container engine.

# Any Node 24 with npm, and any Node 24 without; give digests to pin them.
ARG BUILD_IMAGE=node:24-trixie-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian13:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /app
# The packages first: a change of the sources alone installs nothing anew.
COPY package.json package-lock.json ./
# The optional packages are Node itself, which the image has. No package needs a script of its own at installation.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund
# Node runs TypeScript as it is: there is nothing to compile.
COPY src ./src
COPY LICENSE ./
# The image's user is not the one who checked this out, and a strict umask would keep it from reading.
RUN chmod -R a+rX src package.json LICENSE

FROM ${RUNTIME_IMAGE} AS runtime
LABEL org.opencontainers.image.vendor="gatehouse" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
# Layer by layer: a change of the sources alone pushes and pulls the sources alone.
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/src ./src
# By number, so that Kubernetes can tell that it is not root.
USER 65532:65532

# The sample MCP server; its arguments are the guide's.
FROM runtime AS mcp-tool
LABEL org.opencontainers.image.title="mcp-tool" \
      org.opencontainers.image.description="A sample MCP server with the tool convert_to_markdown"
EXPOSE 8080
ENTRYPOINT ["/nodejs/bin/node", "/app/src/main.ts", "mcp-tool"]

# The reference MCP gateway; its listener is what its configuration says, and the guide's says 8080.
FROM runtime AS mcp-gateway
LABEL org.opencontainers.image.title="mcp-gateway" \
      org.opencontainers.image.description="A reference MCP gateway that is configured over xDS"
EXPOSE 8080
ENTRYPOINT ["/nodejs/bin/node", "/app/src/main.ts", "gateway"]

# The control plane, last: it is what a build without a target makes.
FROM runtime AS gatehouse
LABEL org.opencontainers.image.title="gatehouse" \
      org.opencontainers.image.description="An xDS control plane for MCP gateways"
# Gateways (gRPC), and health and metrics (HTTP).
EXPOSE 9977 9092
ENTRYPOINT ["/nodejs/bin/node", "/app/src/main.ts"]
CMD ["serve"]
