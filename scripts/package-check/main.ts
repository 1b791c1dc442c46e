import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Message, publint } from 'publint';
import packageJson from '../../package.json' with { type: 'json' };
import { checkInstallation } from './installation.ts';
import { run } from './run.ts';
import { checkStartup } from './startup.ts';

/**
 * Packs the package, reads the tarball as publint and "are the types wrong" do, and installs it into an empty folder without a
 * registry, where it runs the program as a user would. Prints the error and exits with 1 if anything differs.
 */
const checkout = fileURLToPath(new URL('../..', import.meta.url));
const bin = join(checkout, 'node_modules/.bin');
const report = (line: string): void => void process.stdout.write(`package check: ${line}\n`);

const folder = await mkdtemp(join(tmpdir(), 'gatehouse-package-'));
try {
  // Other users have to reach the installation: a part of the check runs as one.
  await chmod(folder, 0o755);
  const tarball = await pack();
  report(`serve loads ${await checkStartup(join(checkout, 'dist'))} bytes until it listens`);
  await checkNamedExports();
  await lint(tarball);
  await checkInstallation({ tarball, folder, node: process.execPath, report });
  await checkoutWithoutPackages();
  report('the tarball installs and runs in an empty folder');
} catch (error) {
  report(`failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function pack(): Promise<string> {
  report('npm pack');
  execFileSync('npm', ['pack', '--pack-destination', folder], {
    cwd: checkout,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return join(folder, `${packageJson.name}-${packageJson.version}.tgz`);
}

/**
 * Each chunk that is loaded when it is used has the exports that its importers name. One of a CommonJS module can have a
 * default export alone, where Node gives names: what works from src/ fails in dist/, where no test of the sources sees it.
 */
async function checkNamedExports(): Promise<void> {
  const dist = join(checkout, 'dist');
  for (const file of (await readdir(dist)).filter((name) => name.endsWith('.js'))) {
    const found = /export default require_(\w+)\(\);/.exec(await readFile(join(dist, file), 'utf8'))?.[1];
    if (found !== undefined) throw new Error(`${file} has the default export of ${found} alone, and no names`);
  }
}

async function lint(tarball: string): Promise<void> {
  report(`publint and attw read ${basename(tarball)}`);
  const bytes = await readFile(tarball);
  const { messages }: { readonly messages: readonly Message[] } = await publint({
    pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) },
    strict: true,
  });
  if (messages.length > 0) throw new Error(`publint: ${JSON.stringify(messages)}`);
  // The package is ES modules only: how older resolvers and require() see it is not asked.
  const attw = run(join(bin, 'attw'), ['--profile', 'esm-only', '--format', 'ascii', '--no-color', tarball], folder);
  if (attw.code !== 0) throw new Error(`attw: ${attw.stdout}${attw.stderr}`);
}

/** The launcher of a checkout says what is missing, in one sentence. */
async function checkoutWithoutPackages(): Promise<void> {
  const bare = join(folder, 'checkout');
  for (const file of ['bin/gatehouse.js', 'package.json', 'src/main.ts']) {
    await mkdir(dirname(join(bare, file)), { recursive: true });
    await writeFile(join(bare, file), await readFile(join(checkout, file)));
  }
  await mkdir(join(bare, 'src/cli'));
  await writeFile(join(bare, 'src/cli/cli.ts'), "export { runCli } from 'winston';\n");
  const { code, stderr } = run(process.execPath, [join(bare, 'bin/gatehouse.js'), 'demo'], bare);
  const expected = "gatehouse: Cannot find package 'winston': run npm ci first, which installs the packages.\n";
  if (code !== 3 || stderr !== expected) throw new Error(`a checkout without packages says: ${stderr}`);
}
