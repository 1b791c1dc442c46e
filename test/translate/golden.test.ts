import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { matchKind } from '../../src/resources/resources.ts';
import type { TranslationSettings, UnlistedNamespaces } from '../../src/translate/model.ts';
import {
  createTranslatedWorld,
  type Manifest,
  readManifest,
  type TranslatedWorld,
} from '../support/translated-world.ts';
import { translationText } from '../support/translation-text.ts';

/**
 * The corpus is the specification of the translation: `<case>.in.yaml` is what users write, `<case>.out.yaml` what
 * gateways and users are told. `npm run test:update` writes the second anew and deletes what has no first.
 *
 * A document with the key `case` says what a case assumes. `problems` is how many mistakes the decoders have to find,
 * so that a slip in a test is not taken for a test of slips.
 */
interface Case {
  readonly problems: number;
  readonly settings: Partial<TranslationSettings>;
  readonly unlistedNamespaces: UnlistedNamespaces;
  readonly manifests: readonly Manifest[];
}

const folder = join(import.meta.dirname, '..', 'golden');
const files = readdirSync(folder);
const cases = files.filter((file) => file.endsWith('.in.yaml')).map((file) => file.slice(0, -'.in.yaml'.length));
const orphans = files.filter(
  (file) => file.endsWith('.out.yaml') && !cases.includes(file.slice(0, -'.out.yaml'.length)),
);

describe('the golden corpus', () => {
  test.each(cases)('%s', async (name) => {
    const input = readCase(name);
    const problems = input.manifests.flatMap((manifest) => readManifest(manifest).problems);
    const found = problems.map(({ path, message }) => `${path.join('.')}: ${message}`);
    expect(found, 'mistakes that the decoders find').toHaveLength(input.problems);
    const atOnce = play(input, (world) => world.apply(...input.manifests));
    expect(
      play(input, (world) => oneByOne(world, input.manifests)),
      'object by object',
    ).toBe(atOnce);
    expect(
      play(input, (world) => oneByOne(world, input.manifests.toReversed())),
      'in reverse',
    ).toBe(atOnce);
    if (!isUpdating()) expect(files, 'write it with npm run test:update').toContain(`${name}.out.yaml`);
    await expect(atOnce).toMatchFileSnapshot(join(folder, `${name}.out.yaml`));
  });

  test('has no output without an input', () => {
    if (isUpdating()) for (const orphan of orphans) rmSync(join(folder, orphan));
    else expect(orphans).toEqual([]);
  });
});

function isUpdating(): boolean {
  return expect.getState().snapshotState.snapshotUpdateState === 'all';
}

function play({ settings, unlistedNamespaces }: Case, apply: (world: TranslatedWorld) => void): string {
  const world = createTranslatedWorld(settings);
  world.setUnlisted(unlistedNamespaces);
  apply(world);
  return stringify(translationText(world.translation), { lineWidth: 0 });
}

function oneByOne(world: TranslatedWorld, manifests: readonly Manifest[]): void {
  for (const manifest of manifests) world.apply(manifest);
}

function readCase(name: string): Case {
  const documents = parseAllDocuments(readFileSync(join(folder, `${name}.in.yaml`), 'utf8'));
  const values = documents.map((document): unknown => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.toJS();
  });
  const assumptions = values.find(isAssumption)?.case ?? {};
  return {
    problems: 0,
    settings: {},
    unlistedNamespaces: 'named',
    ...assumptions,
    manifests: values.filter((value) => !isAssumption(value)).map(readDocument),
  };
}

function isAssumption(value: unknown): value is { readonly case: Partial<Case> } {
  return typeof value === 'object' && value !== null && 'case' in value;
}

function readDocument(value: unknown): Manifest {
  if (isManifest(value)) return value;
  throw new Error(`A document is of no kind that counts: ${JSON.stringify(value)}`);
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('apiVersion' in value)) return false;
  return matchKind(value.apiVersion, value.kind).match === 'ours';
}
