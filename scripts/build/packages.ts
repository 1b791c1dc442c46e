import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A package whose code is in the bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly license: string;
  /** The folder, relative to the checkout. */
  readonly folder: string;
  /** `sha512-<base64>` of the tarball that npm installed, from package-lock.json. */
  readonly integrity: string | undefined;
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly integrity?: string }>>;
}

/**
 * Returns the packages of the bundled files, by name and version.
 *
 * @param inputs the bundled files, relative to the checkout
 * @throws when a package states no licence
 */
export async function bundledPackages(checkout: string, inputs: readonly string[]): Promise<BundledPackage[]> {
  const folders = new Set(
    inputs.flatMap((input) => /^([^:]*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []),
  );
  const lock: Lock = JSON.parse(await readFile(join(checkout, 'package-lock.json'), 'utf8'));
  const packages = await Promise.all(
    Array.from(folders, async (folder): Promise<BundledPackage> => {
      const { name, version, license }: Pick<BundledPackage, 'name' | 'version'> & { license?: string } = JSON.parse(
        await readFile(join(checkout, folder, 'package.json'), 'utf8'),
      );
      if (license === undefined) throw new Error(`${folder} states no licence`);
      return { name, version, license, folder, integrity: lock.packages[folder]?.integrity };
    }),
  );
  return packages.toSorted((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
}

/** Returns the licence texts that the packages' licences ask to be kept with copies of them. */
export async function notices(checkout: string, packages: readonly BundledPackage[]): Promise<string> {
  const texts = await Promise.all(
    packages.map(async ({ name, version, license, folder }) => {
      const files = (await readdir(join(checkout, folder))).filter((file) =>
        /^(licen[cs]e|notice|copying)/i.test(file),
      );
      const found = await Promise.all(files.map((file) => readFile(join(checkout, folder, file), 'utf8')));
      return `${name} ${version} (${license})\n\n${found.map((text) => text.trim()).join('\n\n')}`.trim();
    }),
  );
  const line = `\n\n${'-'.repeat(80)}\n\n`;
  return `The files of this folder contain code of these packages.${line}${texts.join(line)}\n`;
}
