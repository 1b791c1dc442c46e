import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildStage } from './build.ts';
import { parseDockerfile, type Stage } from './dockerfile.ts';
import { runPrograms } from './programs.ts';

/**
 * Builds the Dockerfile's stages in an empty folder outside of this checkout, and starts the three programs
 * from there with the arguments of the guide's manifests. Prints the error and exits with 1 if a step fails.
 */
const checkout = fileURLToPath(new URL('../..', import.meta.url));
const report = (line: string): void => void process.stdout.write(`install check: ${line}\n`);

/** Path of Node in the images. The check uses the Node that runs it instead. */
const nodeInImages = '/nodejs/bin/node';

/** Files of dist/ that run something when they are imported. */
const running = new Set(['main.js', 'parse-worker.js', 'conversion-worker.js']);

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
  const context = { checkout, roots, report };
  await buildStage(stageNamed('build'), context);
  // All three images contain the files of this stage.
  const root = await buildStage(stageNamed('runtime'), context);
  await importChunks(root);
  const manifests = join(checkout, 'deploy/examples/guide');
  await runPrograms({
    manifests,
    logs: roots,
    report,
    entryPointOf: (target) => {
      const [node, entry = '', ...args] = stageNamed(target).entrypoint;
      if (node !== nodeInImages) throw new Error(`the entry point of ${target} is not ${nodeInImages}`);
      return { entry: join(root, entry), args };
    },
    interrupted: interrupted.promise,
  });
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
