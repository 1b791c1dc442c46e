import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { extname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'esbuild';

const namespace = 'common-js-import';

/** Marks the resolution that this plugin itself asks for. */
const inner = Symbol('inner');

/**
 * Gives `await import()` of a CommonJS module the named exports that Node gives it. With code splitting, esbuild makes it
 * a chunk with a default export alone: `const { Agent } = await import('undici')` would be undefined in dist/ and works
 * from src/.
 */
export function commonJsImports(checkout: string): Plugin {
  return {
    name: 'common-js-imports',
    setup: ({ onResolve, onLoad, resolve }) => {
      onResolve({ filter: /.*/ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
        if (kind !== 'dynamic-import' || pluginData === inner) return undefined;
        const found = await resolve(path, { importer, resolveDir, kind, pluginData: inner });
        // Those that builtin-modules.ts loads, as CommonJS.
        if (found.namespace === 'builtin') return { path, namespace };
        if (found.external || found.namespace !== 'file' || !isCommonJs(found.path)) return undefined;
        // Relative, so that dist/ has the same bytes wherever it is built.
        return { path: `./${relative(checkout, found.path)}`, namespace };
      });
      onLoad({ filter: /.*/, namespace }, async ({ path }) => {
        const names = Object.keys(await import(path.startsWith('.') ? pathToFileURL(join(checkout, path)).href : path));
        const exported = names.filter((name) => /^[A-Za-z_$][\w$]*$/.test(name) && name !== 'default');
        const contents = `const all = require(${JSON.stringify(path)}); export default all; export const { ${exported.join(', ')} } = all;`;
        return { resolveDir: checkout, contents };
      });
    },
  };
}

function isCommonJs(path: string): boolean {
  const extension = extname(path);
  if (extension !== '.js') return extension === '.cjs';
  const file = findPackageJSON(pathToFileURL(path));
  const { type }: { readonly type?: unknown } = file === undefined ? {} : JSON.parse(readFileSync(file, 'utf8'));
  return type !== 'module';
}
