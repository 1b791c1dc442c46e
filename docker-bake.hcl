# The three images for two architectures, with labels, provenance and a bill of materials:
#   VERSION=0.2.0 REVISION=$(git rev-parse HEAD) REGISTRY=registry.example.com docker buildx bake --push
# docs/releasing.md explains the variables. `docker buildx bake --print` shows what would be built.

variable "REGISTRY" { default = "ctlptl-registry:5000" }
variable "VERSION" { default = "unknown" }
variable "REVISION" { default = "unknown" }
# Where the sources are, as a URL.
variable "SOURCE" { default = "unknown" }
# With a digest (node:24-trixie-slim@sha256:…), a build is of exactly these bases.
variable "BUILD_IMAGE" { default = "node:24-trixie-slim" }
variable "RUNTIME_IMAGE" { default = "gcr.io/distroless/nodejs24-debian13:nonroot" }

group "default" {
  targets = ["gatehouse", "mcp-gateway", "mcp-tool"]
}

target "image" {
  platforms = ["linux/amd64", "linux/arm64"]
  args = {
    BUILD_IMAGE   = BUILD_IMAGE
    RUNTIME_IMAGE = RUNTIME_IMAGE
    VERSION       = VERSION
    REVISION      = REVISION
    SOURCE        = SOURCE
  }
  attest = ["type=provenance,mode=max", "type=sbom"]
}

target "gatehouse" {
  inherits = ["image"]
  target   = "gatehouse"
  tags     = ["${REGISTRY}/gatehouse:${VERSION}"]
}

target "mcp-gateway" {
  inherits = ["image"]
  target   = "mcp-gateway"
  tags     = ["${REGISTRY}/mcp-gateway:${VERSION}"]
}

# The guide's name of the sample MCP server.
target "mcp-tool" {
  inherits = ["image"]
  target   = "mcp-tool"
  tags     = ["${REGISTRY}/markitdown-mcp:${VERSION}"]
}
