# The three images for two architectures, with labels, provenance and a bill of materials:
#   docker buildx bake
# docs/releasing.md explains the variables. `docker buildx bake --print` shows what would be built.

variable "REGISTRY" { default = "ctlptl-registry:5000" }
variable "VERSION" { default = "unknown" }
variable "REVISION" { default = "unknown" }
# Where the sources are, as a URL.
variable "SOURCE" { default = "unknown" }
# The bases of the Dockerfile, by digest, so that the same commit gives the same images: a build with a VERSION is a release,
# and takes no others. docs/releasing.md says how to check and to renew them.
variable "BUILD_IMAGE" {
  default = "node:24-trixie-slim@sha256:173f125896c3b47ddf056734c7ea789d04595a6a08769a8f78e0df642781fb66"
  validation {
    condition     = VERSION == "unknown" || length(regexall("@sha256:[0-9a-f]{64}$", BUILD_IMAGE)) == 1
    error_message = "A release names BUILD_IMAGE by digest: docs/releasing.md, Base images by digest."
  }
}
variable "RUNTIME_IMAGE" {
  default = "gcr.io/distroless/nodejs24-debian13:nonroot@sha256:9eeb7f5887d0e239e78264b06f7f11d2e14be534050481803a9e4728fcdd278e"
  validation {
    condition     = VERSION == "unknown" || length(regexall("@sha256:[0-9a-f]{64}$", RUNTIME_IMAGE)) == 1
    error_message = "A release names RUNTIME_IMAGE by digest: docs/releasing.md, Base images by digest."
  }
}

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
