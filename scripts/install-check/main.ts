import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };
import { build } from './build.ts';
import { readDockerfile, type Stage } from './dockerfile.ts';
import { runPrograms } from './programs.ts';

/**
 * Follows the Dockerfile in an empty folder, far from this checkout's own packages, and starts the three programs from
 * what came out, as the guide's manifests do. Fails with a message when a step fails.
 */
const context = fileURLToPath(new URL('../..', import.meta.url));
const tell = (line: string): void => void process.stdout.write(`install check: ${line}\n`);

/** What a container runs its program with. The images bring Node at this path; here it is the Node that runs this. */
const nodeOfTheImages = '/nodejs/bin/node';

const roots = await mkdtemp(join(tmpdir(), 'gatehouse-install-'));
const asked = Promise.withResolvers<never>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => asked.reject(new Error(`ended by ${signal}`)));
}
// Whoever read the output is gone, as with `| head`: then the programs have to end, too.
process.stdout.on('error', (error) => asked.reject(error));
const checked = check();
try {
  await Promise.race([checked, asked.promise]);
  tell('everything installs, starts and stops from production packages alone');
} catch (error) {
  tell(`failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  // What was started ends before the ground is taken from under it.
  await Promise.allSettled([checked]);
  await rm(roots, { recursive: true, force: true, maxRetries: 5 });
}

async function check(): Promise<void> {
  const stages = readDockerfile(await readFile(join(context, 'Dockerfile'), 'utf8'));
  const stageNamed = (name: string): Stage => {
    const stage = stages.get(name);
    if (stage === undefined) throw new Error(`the Dockerfile has no stage ${name}`);
    return stage;
  };
  const place = { context, roots, tell };
  await build(stageNamed('build'), place);
  // The three images hold the same files, those of this stage.
  const root = await build(stageNamed('runtime'), place);
  importPackages(root);
  const manifests = join(context, 'deploy/examples/guide');
  await runPrograms({
    manifests,
    logs: roots,
    tell,
    commandOf: (target) => {
      const [node, entry = '', ...words] = stageNamed(target).entrypoint;
      if (node !== nodeOfTheImages) throw new Error(`the entry point of ${target} is not ${nodeOfTheImages}`);
      return { entry: join(root, entry), words };
    },
    asked: asked.promise,
  });
}

/** Every package that the programs may load, the ones too that they load only in a cluster. */
function importPackages(root: string): void {
  const names = Object.keys(packageJson.dependencies);
  tell(`import ${names.length} packages`);
  const script = names.map((name) => `await import(${JSON.stringify(name)});`).join('\n');
  execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: join(root, 'app'),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
