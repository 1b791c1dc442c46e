import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/**
 * Writes the declarations of a module and of the modules that they import, all into one folder.
 *
 * @param entry the module, relative to the checkout
 * @throws when they import a package: whoever imports gatehouse has none of its packages
 */
export async function writeDeclarations(checkout: string, entry: string, folder: string): Promise<void> {
  const emitted = await mkdtemp(join(tmpdir(), 'gatehouse-declarations-'));
  try {
    const config = join(emitted, 'tsconfig.json');
    // Types are checked by `npm run check`; here they are only written.
    const compilerOptions = {
      noEmit: false,
      emitDeclarationOnly: true,
      noCheck: true,
      types: [],
      rootDir: checkout,
      outDir: emitted,
    };
    const files = [join(checkout, entry)];
    await writeFile(
      config,
      JSON.stringify({ extends: join(checkout, 'tsconfig.json'), compilerOptions, files, include: [] }),
    );
    execFileSync(join(checkout, 'node_modules/.bin/tsc'), ['--project', config], { stdio: 'inherit' });
    await copyDeclarations(join(emitted, entry), folder, new Set());
  } finally {
    await rm(emitted, { recursive: true, force: true });
  }
}

async function copyDeclarations(source: string, folder: string, done: Set<string>): Promise<void> {
  if (done.has(source)) return;
  done.add(source);
  const file = source.replace(/\.ts$/, '.d.ts');
  const text = await readFile(file, 'utf8');
  for (const [, target = ''] of text.matchAll(/(?:from|import) '([^']+)'/g)) {
    if (target.startsWith('node:')) continue;
    if (!target.startsWith('.')) throw new Error(`${source}: its declarations import ${target}`);
    await copyDeclarations(join(dirname(source), target), folder, done);
  }
  await writeFile(join(folder, basename(file)), text.replaceAll(/(from|import) '[^']*?([^/']+)\.ts'/g, "$1 './$2.js'"));
}
