import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Told } from '../../support/worlds/held-resources.ts';
import type { World } from './world.ts';

const folder = join(import.meta.dirname, '..', '..', 'golden');
const inputs = readdirSync(folder).filter((file) => file.endsWith('.in.yaml'));

/** The entry of a Gateway in a golden output: a word when it belongs to another controller or is refused. */
type GoldenGateways = Readonly<Record<string, string | Told>>;

/** Every input of the golden corpus with default settings, as a file. */
export const goldenWorlds: readonly (Omit<World, 'serves'> & { readonly serves?: World['serves'] })[] = inputs.map(
  (file) => {
    const says = file.slice(0, -'.in.yaml'.length);
    const documents = readFileSync(join(folder, file), 'utf8').split(/^---$/m);
    const manifests = documents.filter((text) => !/^case:/m.test(text));
    const files = { [`${says}.yaml`]: manifests.join('---') };
    const assumes = documents.some((text) => /^case: .*(settings|unlistedNamespaces)/m.test(text));
    return assumes ? { says, files } : { says, files, serves: goldenGateways(says) };
  },
);

function goldenGateways(name: string): World['serves'] {
  const { gateways = {} }: { readonly gateways?: GoldenGateways } = parse(
    readFileSync(join(folder, `${name}.out.yaml`), 'utf8'),
  );
  const told = Object.entries(gateways).flatMap(([gateway, said]) =>
    typeof said === 'string' ? [] : [[gateway, { targets: said.targets, configs: said.configs }] as const],
  );
  return Object.fromEntries(told);
}
