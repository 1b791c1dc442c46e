import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The most that `serve` may load until it listens, in bytes: V8 reads all of it, which is the largest part of the time of
 * a start. What is used only when somebody asks is imported then.
 */
const mostLoaded = 1_600_000;

/** Measures what `serve` loads of dist/ until it listens. Throws when that is too much; returns the number of bytes. */
export async function checkStartup(dist: string): Promise<number> {
  const loaded = new Map<string, number>();
  const load = async (file: string): Promise<void> => {
    if (loaded.has(file)) return;
    const path = join(dist, file);
    loaded.set(file, (await stat(path)).size);
    for (const imported of (await readFile(path, 'utf8')).matchAll(/\b(?:from|import)"\.\/([^"]+)"/g)) {
      await load(imported[1] ?? '');
    }
  };
  await load('main.js');
  // The commands import their programs when they run.
  const texts = await Promise.all(Array.from(loaded.keys(), (file) => readFile(join(dist, file), 'utf8')));
  const [program] = texts.flatMap((text) => /import\("\.\/(app-[^"]+)"\)/.exec(text)?.[1] ?? []);
  if (program === undefined) throw new Error('no command of dist/ imports the control plane');
  await load(program);
  const bytes = [...loaded.values()].reduce((sum, size) => sum + size, 0);
  if (bytes <= mostLoaded) return bytes;
  const largest = [...loaded].toSorted(([, a], [, b]) => b - a).slice(0, 5);
  const shown = largest.map(([file, size]) => `${file} ${size}`).join(', ');
  throw new Error(`serve loads ${bytes} bytes until it listens, more than ${mostLoaded}: ${shown}`);
}
