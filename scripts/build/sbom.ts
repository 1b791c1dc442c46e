import packageJson from '../../package.json' with { type: 'json' };
import type { BundledPackage } from './packages.ts';

/**
 * Returns a CycloneDX 1.6 bill of materials of what dist/ contains. It has no serial number and no time, so that the same
 * sources give the same bytes.
 */
export function billOfMaterials(packages: readonly BundledPackage[]): object {
  const { name, version, license } = packageJson;
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': packageUrl(name, version),
        name,
        version,
        licenses: [{ expression: license }],
        purl: packageUrl(name, version),
      },
    },
    components: packages.map(component),
    dependencies: [
      {
        ref: packageUrl(name, version),
        dependsOn: packages.map((bundled) => packageUrl(bundled.name, bundled.version)),
      },
    ],
  };
}

function component({ name, version, license, integrity }: BundledPackage): object {
  const purl = packageUrl(name, version);
  const [, base64] = /^sha512-(\S+)$/.exec(integrity ?? '') ?? [];
  const hashes =
    base64 === undefined ? [] : [{ alg: 'SHA-512', content: Buffer.from(base64, 'base64').toString('hex') }];
  return { type: 'library', 'bom-ref': purl, name, version, licenses: [{ expression: license }], hashes, purl };
}

/** @see https://github.com/package-url/purl-spec */
function packageUrl(name: string, version: string): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}
