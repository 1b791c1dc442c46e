import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { builtinModules } from './builtin-modules.ts';
import { commonJsImports } from './common-js-imports.ts';
import { writeDeclarations } from './declarations.ts';
import { moduleUrls } from './module-urls.ts';
import { packageParts } from './package-parts.ts';
import { bundledPackages, notices } from './packages.ts';
import { billOfMaterials } from './sbom.ts';

/**
 * Writes dist/: the programs and the packages that they use as plain JavaScript, the declarations of what the package
 * exports, the licences of the packages, and a bill of materials. Replaces dist/ only when all of it is built.
 */
const checkout = fileURLToPath(new URL('../..', import.meta.url));
const output = join(checkout, 'dist');
const unfinished = join(checkout, 'dist.new');

/** Files of src/ that become files of dist/ with the same name and the extension .js. All others become chunks. */
const entries = {
  // The process entry of every command.
  main: 'src/main.ts',
  // What importing the package gives.
  cli: 'src/cli/cli.ts',
  // Started as worker threads, by their URL.
  'parse-worker': 'src/source/files/parsing/parse-worker.ts',
  'conversion-worker': 'src/mcp-tool/convert/conversion-worker.ts',
};

/** Files and folders that the programs read at run time, one of them of a package: browsers get it as it is. */
const assets = ['src/gen/descriptors.binpb', 'src/page/browser', 'node_modules/lit-html/lit-html.js'];

/** Files beside these that only the type checker reads. */
const isRead = (file: string): boolean => !file.endsWith('.d.ts') && !file.endsWith('tsconfig.json');

await rm(unfinished, { recursive: true, force: true });
await mkdir(unfinished);
const { metafile } = await build({
  absWorkingDir: checkout,
  entryPoints: entries,
  outdir: unfinished,
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
  await cp(join(checkout, asset), join(unfinished, basename(asset)), { recursive: true, filter: isRead });
}
await writeDeclarations(checkout, entries.cli, unfinished);
const packages = await bundledPackages(checkout, [...Object.keys(metafile.inputs), ...assets]);
await writeFile(join(unfinished, 'THIRD-PARTY-NOTICES.txt'), await notices(checkout, packages));
await writeFile(join(unfinished, 'sbom.cdx.json'), `${JSON.stringify(billOfMaterials(packages), undefined, 1)}\n`);
await rm(output, { recursive: true, force: true });
await rename(unfinished, output);
