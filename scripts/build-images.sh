#!/usr/bin/env bash
# Builds the three images with buildah, without a container engine and without a registry of images: the bases are made of
# Debian's packages and npm's Node. Then runs the programs from the image of the control plane, as install-check.sh does.
# Needs Debian's buildah and mmdebstrap (apt-get install buildah mmdebstrap), a registry of Debian and of npm, and root or a
# user with subordinate ids (/etc/subuid); as another user, run it by `buildah unshare`. About five minutes, 3 GB in $TMPDIR.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
export PATH="$here/node_modules/.bin:$PATH" STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
for program in buildah mmdebstrap node npm; do
  command -v "$program" > /dev/null || { echo "no $program is on the PATH: apt-get install buildah mmdebstrap, and npm ci" >&2; exit 1; }
done

work=$(mktemp -d "${TMPDIR:-/tmp}/gatehouse-images-XXXXXX")
store() { buildah --root "$work/store" --runroot "$work/run" "$@"; }
trap 'store umount --all > /dev/null 2>&1 || true; rm -rf "$work"' EXIT
chmod 755 "$work"
node=$(node -p 'fs.realpathSync(process.execPath)')
npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")

# The file system of a base in a folder: base <name> <variant of mmdebstrap> <packages>
base() {
  echo "images: a base of Debian packages: $3"
  mkdir "$work/$1"
  mmdebstrap --quiet --variant="$2" --include="$3" trixie "$work/$1.tar" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}"
  tar -C "$work/$1" -xf "$work/$1.tar" --exclude=./dev
  mkdir -p "$work/$1/etc/ssl/certs"
}
# Commits the folder as an image: commit <name> <settings of buildah config>
commit() {
  local name=$1 container
  shift
  container=$(store from scratch)
  store copy --quiet "$container" "$work/$name" / > /dev/null
  store config "$@" "$container"
  store commit --quiet "$container" "localhost/$name" > /dev/null
  store rm "$container" > /dev/null
}

# What distroless has: the C and C++ libraries, certificates, time zones, a user, and Node at its path.
base runtime-base extract base-files,netbase,tzdata,libc6,libstdc++6,libgcc-s1,ca-certificates
cat "$work"/runtime-base/usr/share/ca-certificates/mozilla/*.crt > "$work/runtime-base/etc/ssl/certs/ca-certificates.crt"
install -D "$node" "$work/runtime-base/nodejs/bin/node"
echo 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' > "$work/runtime-base/etc/passwd"
commit runtime-base --user 65532 --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt

# What the image of Node has: Debian, Node and npm. npm finds the registry, and trusts the certificates, of this machine.
base build-base essential libstdc++6,ca-certificates
mkdir -p "$work/build-base/usr/local/lib/node_modules" "$work/build-base/usr/local/etc"
install "$node" "$work/build-base/usr/local/bin/node"
cp -r "$npm" "$work/build-base/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/build-base/usr/local/bin/npm"
cp -L /etc/ssl/certs/ca-certificates.crt "$work/build-base/etc/ssl/certs/ca-certificates.crt"
printf 'registry=%s\ncafile=/etc/ssl/certs/ca-certificates.crt\n' "$(npm config get registry)" > "$work/build-base/usr/local/etc/npmrc"
commit build-base --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

version=$(cd "$here" && npm pkg get version | tr -d '"')
revision=$(git -C "$here" rev-parse HEAD 2> /dev/null || echo unknown)
for target in gatehouse mcp-gateway mcp-tool; do
  echo "images: build $target"
  store build --quiet --layers --format oci --network host --target "$target" --tag "localhost/$target" \
    --build-arg BUILD_IMAGE=localhost/build-base --build-arg RUNTIME_IMAGE=localhost/runtime-base \
    --build-arg "VERSION=$version" --build-arg "REVISION=$revision" "$here" > "$work/$target.log"
  echo "images: $(store inspect --type image --format \
    'user {{.OCIv1.Config.User}}, {{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.Cmd}}, {{.OCIv1.Config.Labels}}' "localhost/$target")"
done

container=$(store from localhost/gatehouse)
node "$here/scripts/install-check/main.ts" "$(store mount "$container")"
echo 'images: all three build, and the programs run from them'
