import { cp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { builtinModules } from './builtin-modules.ts';
import { commonJsImports } from './common-js-imports.ts';
import { moduleUrls } from './module-urls.ts';
import { packageParts } from './package-parts.ts';

/** Files of src/ that become files of dist/ with the same name and the extension .js. All others become chunks. */
export const entries = {
  // The process entry of every command.
  main: 'src/main.ts',
  // What importing the package gives.
  cli: 'src/cli/cli.ts',
  // Started as processes, by their URL.
  'parse-process': 'src/source/files/parsing/parse-process.ts',
  'conversion-process': 'src/mcp-tool/convert/conversion-process.ts',
};

/** Files and folders that the programs read at run time, one of them of a package: browsers get it as it is. */
export const assets: readonly string[] = [
  'src/gen/descriptors.binpb',
  'src/page/browser',
  'node_modules/lit-html/lit-html.js',
];

/** Files beside these that only the type checker reads. */
const isRead = (file: string): boolean => !file.endsWith('.d.ts') && !file.endsWith('tsconfig.json');

/**
 * Writes the programs and the packages that they use as plain JavaScript, and what they read at run time.
 *
 * @param folder an empty folder; the programs expect `deploy/` of the checkout beside it
 * @returns which files became which, and what imports what
 */
export async function buildPrograms(checkout: string, folder: string): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: checkout,
    entryPoints: entries,
    outdir: folder,
    bundle: true,
    // A command loads the chunks of its own imports only.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // What packages have for development is left out.
    define: { 'process.env.NODE_ENV': '"production"' },
    // White space costs time to read. Names stay, because stacks in logs are read without the source maps.
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: true,
    sourcesContent: false,
    // Its CommonJS form, which it has for Node, would be bundled whole.
    alias: { rxjs: join(checkout, 'node_modules/rxjs/dist/esm/index.js') },
    chunkNames: '[name]-[hash]',
    metafile: true,
    logLevel: 'warning',
    legalComments: 'none',
    // The CommonJS packages in the bundle call it for the modules of Node.
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    plugins: [commonJsImports(checkout), moduleUrls(checkout, entries, assets), builtinModules, packageParts],
  });
  for (const asset of assets) {
    await cp(join(checkout, asset), join(folder, basename(asset)), { recursive: true, filter: isRead });
  }
  return metafile;
}
