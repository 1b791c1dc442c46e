import { execFileSync } from 'node:child_process';
import { chmod, cp, mkdir, readdir, realpath, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The file system of an image in a folder, and programs that see nothing else. */

/** Path of Node in the images. */
export const nodeInImages = '/nodejs/bin/node';

/** Folders that a container gets mounted: the kernel's, and those of the check. */
const mountPoints = ['proc', 'dev', 'config', 'manifests'] as const;

/** Files with the certificates of well-known authorities: those of Debian, Fedora, Alpine. */
const certificates = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];

/**
 * Adds what the base image brings, from packages instead of a registry: the Node of npm that runs this, the libraries that
 * it is linked with, the certificates of this machine, and the user.
 */
export async function addBase(root: string): Promise<void> {
  const node = await realpath(process.execPath);
  const libraries = execFileSync('ldd', [node], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g);
  const copies = [[node, nodeInImages], ...Array.from(libraries, ([, library = '']) => [library, library])];
  for (const [source = '', target = ''] of copies) {
    await mkdir(dirname(join(root, target)), { recursive: true });
    await cp(source, join(root, target), { dereference: true });
  }
  await mkdir(join(root, 'etc/ssl/certs'), { recursive: true });
  for (const file of certificates) {
    await cp(file, join(root, 'etc/ssl/certs/ca-certificates.crt'), { dereference: true }).catch(() => undefined);
  }
  await writeFile(join(root, 'etc/passwd'), 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n');
}

/** Throws if the user of the Deployments, who owns no file of the image, could not read one. */
export async function checkReadable(root: string, folder: string): Promise<void> {
  for (const name of ['.', ...(await readdir(join(root, folder), { recursive: true }))]) {
    const path = join(root, folder, name);
    const found = await stat(path);
    const needed = found.isDirectory() ? 0o005 : 0o004;
    if ((found.mode & needed) !== needed) throw new Error(`${join(folder, name)} of the image is not readable by all`);
  }
}

/** Folders of the host that a container sees, by the name of their mount point. */
export type Mounts = Readonly<Partial<Record<(typeof mountPoints)[number], string>>>;

/** Prepares the mount points. They are made before the file system is read-only. */
export async function prepareMounts(root: string): Promise<void> {
  // Those of `mkdtemp` are for their owner alone.
  await chmod(root, 0o755);
  for (const name of [...mountPoints, 'tmp']) await mkdir(join(root, name), { recursive: true });
}

/**
 * The words before the image's entry point that run it with nothing but the image, read-only, as this user, without any
 * capability. Needs no privileges where the kernel lets users make namespaces. Each word replaces the process, so that
 * signals reach the program.
 */
export function confinement(root: string, user: number, workdir: string, mounts: Mounts): [string, ...string[]] {
  const binds = Object.entries({ proc: '/proc', dev: '/dev', ...mounts }).map(
    ([name, source]) => `mount --rbind ${quote(source)} ${quote(join(root, name))}`,
  );
  const script = [
    `mount --rbind ${quote(root)} ${quote(root)}`,
    ...binds,
    `mount -o remount,bind,ro ${quote(root)}`,
    `exec unshare --user --map-user=${user} --map-group=${user} --root=${quote(root)} --wd=${quote(workdir)} "$@"`,
  ].join(' && ');
  return ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', script, 'sh'];
}

/** A word of sh. */
function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * Checks the confinement itself. Returns a sentence when it is not to be had here; throws when it holds nothing back.
 */
export function confinementTrouble(root: string, user: number): string | undefined {
  const script = `const { writeFileSync, readFileSync } = require('node:fs');
    const wrote = ['/written', '/tmp/written', '/app/written'].filter((path) => {
      try { writeFileSync(path, ''); return true; } catch (error) { return error.code !== 'EROFS'; }
    });
    const capabilities = /^CapEff:\\s*(\\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1];
    console.log(JSON.stringify([process.getuid(), Number('0x' + capabilities), wrote]));`;
  const [file, ...words] = confinement(root, user, '/app', {});
  let printed: string;
  try {
    printed = execFileSync(file, [...words, nodeInImages, '-e', script], { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    return error instanceof Error ? error.message.split('\n').slice(1, 2).join('') : String(error);
  }
  const expected = JSON.stringify([user, 0, []]);
  if (printed.trim() !== expected)
    throw new Error(`user, capabilities and writable paths: ${printed.trim()}, not ${expected}`);
  return undefined;
}
