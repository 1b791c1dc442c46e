import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildStage } from './build.ts';
import { parseDockerfile, type Stage } from './dockerfile.ts';
import { type EntryPoint, runPrograms } from './programs.ts';
import {
  addBase,
  checkReadable,
  confinement,
  confinementTrouble,
  type Mounts,
  nodeInImages,
  prepareMounts,
} from './rootfs.ts';

/**
 * Builds the file system that the Dockerfile describes in an empty folder outside of this checkout, stage by stage, with a
 * base from packages, and starts the three programs with nothing else: read-only, as the user, with the arguments and the
 * environment of their Deployments. With a folder as its argument it starts them from that file system instead, which
 * `scripts/build-images.sh` does with images of buildah. Prints the error and exits with 1 if a step fails.
 */
const checkout = fileURLToPath(new URL('../..', import.meta.url));
const report = (line: string): void => void process.stdout.write(`install check: ${line}\n`);

/** Files of dist/ that run something when they are imported. */
const running = new Set(['main.js', 'parse-process.js', 'conversion-process.js']);

const roots = await mkdtemp(join(tmpdir(), 'gatehouse-install-'));
const interrupted = Promise.withResolvers<never>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.reject(new Error(`ended by ${signal}`)));
}
// EPIPE, as with `| head`: stops the programs as well.
process.stdout.on('error', (error) => interrupted.reject(error));
const checked = check();
try {
  await Promise.race([checked, interrupted.promise]);
  report('everything builds, starts and stops from the files of the images alone');
} catch (error) {
  report(`failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  // Waits until the programs have stopped before removing their files.
  await Promise.allSettled([checked]);
  await rm(roots, { recursive: true, force: true, maxRetries: 5 });
}

async function check(): Promise<void> {
  const stages = parseDockerfile(await readFile(join(checkout, 'Dockerfile'), 'utf8'));
  const stageNamed = (name: string): Stage => {
    const stage = stages.get(name);
    if (stage === undefined) throw new Error(`the Dockerfile has no stage ${name}`);
    return stage;
  };
  const root = process.argv[2] ?? (await buildRoot(stageNamed));
  await checkReadable(root, 'app');
  await prepareMounts(root);
  const user = Number(stageNamed('gatehouse').user?.split(':')[0]);
  const trouble = confinementTrouble(root, user);
  report(
    trouble === undefined
      ? `the programs see nothing but the image, read-only, as user ${user} without capabilities`
      : `the programs run beside the files of this machine, because it makes no namespaces for this user: ${trouble}`,
  );
  await importChunks(root);
  await runPrograms({
    deploy: join(checkout, 'deploy'),
    logs: roots,
    report,
    entryPointOf: (target, mounts) => {
      const [node, entry = '', ...args] = stageNamed(target).entrypoint;
      if (node !== nodeInImages) throw new Error(`the entry point of ${target} is not ${nodeInImages}`);
      // The first three words are of this machine: without PATH, it would not find them.
      const environment = { PATH: process.env['PATH'], ...stageNamed(target).environment };
      return trouble === undefined
        ? confinedEntryPoint(root, user, entry, mounts, { args, environment })
        : { program: [process.execPath, join(root, entry)], args, environment, seen: mounts };
    },
    interrupted: interrupted.promise,
  });
}

/** Builds the files that all three images contain. */
async function buildRoot(stageNamed: (name: string) => Stage): Promise<string> {
  const context = { checkout, roots, report };
  await buildStage(stageNamed('build'), context);
  const root = await buildStage(stageNamed('runtime'), context);
  report('add Node, its libraries, certificates and the user in place of the base image');
  await addBase(root);
  return root;
}

function confinedEntryPoint(
  root: string,
  user: number,
  entry: string,
  mounts: Mounts,
  rest: Pick<EntryPoint, 'args' | 'environment'>,
): EntryPoint {
  const program = [...confinement(root, user, '/app', mounts), nodeInImages, entry] as const;
  const seen = Object.fromEntries(Object.keys(mounts).map((name) => [name, `/${name}`]));
  return { program, seen, ...rest };
}

/** Imports every other file of dist/ but that of browsers, including those that the programs load only in a cluster. */
async function importChunks(root: string): Promise<void> {
  const folder = join(root, 'app/dist');
  const chunks = (await readdir(folder)).filter(
    (file) => file.endsWith('.js') && file !== 'lit-html.js' && !running.has(file),
  );
  report(`import ${chunks.length} files of dist/`);
  const script = chunks.map((file) => `await import(${JSON.stringify(join(folder, file))});`).join('\n');
  execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
