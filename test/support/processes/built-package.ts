import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Metafile } from 'esbuild';
import { buildPrograms } from '../../../scripts/build/programs.ts';
import { type GatehouseProcess, startProcess } from './gatehouse-process.ts';

/** The programs as the package and the images have them, in a folder beside which no package is. */
export interface BuiltPackage extends AsyncDisposable {
  /** Starts a program of it. */
  start(args: readonly string[], environment?: Readonly<Record<string, string>>): GatehouseProcess;
  /** Runs a program of it to its end. */
  run(args: readonly string[]): Promise<Ran>;
  /** Returns each `await import()` of src/ whose module no program has loaded so far: `<file> imports <module>`. */
  notLoaded(): Promise<readonly string[]>;
}

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An `await import()` of src/, and the file of dist/ that it loads. */
interface DynamicImport {
  readonly what: string;
  readonly file: string;
}

/** Builds the programs into a temporary folder. Each file that an `await import()` loads writes down that it was. */
export async function buildPackage(): Promise<BuiltPackage> {
  const checkout = fileURLToPath(new URL('../../..', import.meta.url));
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-built-'));
  const dist = join(folder, 'dist');
  const loaded = join(folder, 'loaded');
  await mkdir(dist);
  await writeFile(loaded, '');
  await copyFile(join(checkout, 'package.json'), join(folder, 'package.json'));
  await symlink(join(checkout, 'deploy'), join(folder, 'deploy'));
  const imports = dynamicImports(await buildPrograms(checkout, dist));
  for (const file of new Set(imports.map((one) => one.file))) await recordLoading(join(dist, file), loaded);
  const start: BuiltPackage['start'] = (args, environment = {}) =>
    startProcess(join(dist, 'main.js'), args, environment);
  return {
    start,
    async run(args) {
      await using program = start(args);
      const { code } = await program.ended();
      return { code, stdout: program.stdout(), stderr: program.stderr() };
    },
    async notLoaded() {
      const files = new Set((await readFile(loaded, 'utf8')).split('\n'));
      return imports.filter(({ file }) => !files.has(file)).map(({ what }) => what);
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

function dynamicImports({ inputs, outputs }: Metafile): readonly DynamicImport[] {
  const files = new Map(Object.entries(outputs).map(([file, { entryPoint }]) => [entryPoint, basename(file)]));
  return Object.entries(inputs)
    .filter(([input]) => input.startsWith('src/'))
    .flatMap(([input, { imports }]) => imports.map((imported) => ({ input, ...imported })))
    .filter(({ kind }) => kind === 'dynamic-import')
    .map(({ input, path }) => ({ what: `${input} imports ${path}`, file: files.get(path) ?? path }));
}

/** A line of code does that in worker threads and child processes too, to which hooks of a process do not come. */
async function recordLoading(file: string, loaded: string): Promise<void> {
  const line = `import{appendFileSync as recordLoading}from'node:fs';recordLoading(${JSON.stringify(loaded)},${JSON.stringify(`${basename(file)}\n`)});\n`;
  await writeFile(file, line + (await readFile(file, 'utf8')));
}
