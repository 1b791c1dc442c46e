import { readFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import type { Plugin } from 'esbuild';

/** `new URL('<path>', import.meta.url)`, the only form in which src/ names a file beside a module. */
const moduleUrl = /new URL\('([^']+)', import\.meta\.url\)/g;

/**
 * Rewrites the URLs that src/ derives from the place of a module to the places in dist/, where all files are in one folder:
 * entries by their names, assets by theirs, and files outside of src/ relative to dist/.
 *
 * @param entries output name to source, relative to the checkout
 * @param assets files of src/ that are copied into dist/, relative to the checkout
 * @throws when a URL names another file of src/, which would be missing in dist/
 */
export function moduleUrls(
  checkout: string,
  entries: Readonly<Record<string, string>>,
  assets: readonly string[],
): Plugin {
  const outputs = new Map(Object.entries(entries).map(([name, source]) => [source, `./${name}.js`]));
  for (const asset of assets) outputs.set(asset, `./${basename(asset)}`);
  const sources = join(checkout, 'src/');
  return {
    name: 'module-urls',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (!path.startsWith(sources)) return undefined;
        const text = await readFile(path, 'utf8');
        const contents = text.replaceAll(moduleUrl, (_all, target: string) => {
          const named = relative(checkout, join(dirname(path), target));
          const output = named.startsWith('src/') ? outputs.get(named) : `../${named}`;
          if (output === undefined) throw new Error(`${path}: ${named} is neither an entry nor an asset of dist/`);
          return `new URL('${output}', import.meta.url)`;
        });
        return { contents, loader: 'ts' };
      });
    },
  };
}
