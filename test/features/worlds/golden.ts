import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { HeldResources } from '../../support/worlds/held-resources.ts';
import type { World } from './world.ts';

const folder = join(import.meta.dirname, '..', '..', 'golden');
const inputs = readdirSync(folder).filter((file) => file.endsWith('.in.yaml'));

/** The entry of a Gateway in a golden output: a word when it belongs to another controller or is refused. */
type GoldenGateways = Readonly<Record<string, string | HeldResources>>;

/** Every input of the golden corpus with default settings, as a file. */
export const goldenWorlds: readonly (Omit<World, 'serves'> & { readonly serves?: World['serves'] })[] = inputs.map(
  (file) => {
    const clause = file.slice(0, -'.in.yaml'.length);
    const documents = readFileSync(join(folder, file), 'utf8').split(/^---$/m);
    const manifests = documents.filter((text) => !/^case:/m.test(text));
    const files = { [`${clause}.yaml`]: manifests.join('---') };
    const assumes = documents.some((text) => /^case: .*(settings|unlistedNamespaces)/m.test(text));
    return assumes ? { clause, files } : { clause, files, serves: goldenGateways(clause) };
  },
);

function goldenGateways(name: string): World['serves'] {
  const { gateways = {} }: { readonly gateways?: GoldenGateways } = parse(
    readFileSync(join(folder, `${name}.out.yaml`), 'utf8'),
  );
  const entries = Object.entries(gateways).flatMap(([gateway, entry]) =>
    typeof entry === 'string' ? [] : [[gateway, { targets: entry.targets, configs: entry.configs }] as const],
  );
  return Object.fromEntries(entries);
}
