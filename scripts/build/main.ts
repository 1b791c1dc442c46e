import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeDeclarations } from './declarations.ts';
import { bundledPackages, notices } from './packages.ts';
import { assets, buildPrograms, entries } from './programs.ts';
import { billOfMaterials } from './sbom.ts';

/**
 * Writes dist/: the programs and the packages that they use as plain JavaScript, the declarations of what the package
 * exports, the licences of the packages, and a bill of materials. Replaces dist/ only when all of it is built.
 */
const checkout = fileURLToPath(new URL('../..', import.meta.url));
const output = join(checkout, 'dist');
const unfinished = join(checkout, 'dist.new');

await rm(unfinished, { recursive: true, force: true });
await mkdir(unfinished);
const { inputs } = await buildPrograms(checkout, unfinished);
await writeDeclarations(checkout, entries.cli, unfinished);
const packages = await bundledPackages(checkout, [...Object.keys(inputs), ...assets]);
await writeFile(join(unfinished, 'THIRD-PARTY-NOTICES.txt'), await notices(checkout, packages));
await writeFile(join(unfinished, 'sbom.cdx.json'), `${JSON.stringify(billOfMaterials(packages), undefined, 1)}\n`);
await rm(output, { recursive: true, force: true });
await rename(unfinished, output);
