import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type GoldenCase, goldenCaseNames, goldenFolder, readGoldenCase } from '../support/worlds/golden-cases.ts';
import {
  createTranslatedWorld,
  type Manifest,
  readManifest,
  type TranslatedWorld,
} from '../support/worlds/translated-world.ts';
import { translationText } from '../support/worlds/translation-text.ts';

/**
 * The golden corpus is the specification of the translation: `<case>.in.yaml` is what users write, `<case>.out.yaml`
 * the configuration of gateways and the statuses. `npm run test:update` rewrites the outputs and deletes those without
 * an input.
 */
const files = readdirSync(goldenFolder);
const cases = goldenCaseNames();
const orphans = files.filter(
  (file) => file.endsWith('.out.yaml') && !cases.includes(file.slice(0, -'.out.yaml'.length)),
);

describe('the golden corpus', () => {
  test.each(cases)('%s', async (name) => {
    const input = readGoldenCase(name);
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
    await expect(atOnce).toMatchFileSnapshot(join(goldenFolder, `${name}.out.yaml`));
  });

  test('has no output without an input', () => {
    if (isUpdating()) for (const orphan of orphans) rmSync(join(goldenFolder, orphan));
    else expect(orphans).toEqual([]);
  });
});

function isUpdating(): boolean {
  return expect.getState().snapshotState.snapshotUpdateState === 'all';
}

function play({ settings, unlistedNamespaces }: GoldenCase, apply: (world: TranslatedWorld) => void): string {
  const world = createTranslatedWorld(settings);
  world.setUnlisted(unlistedNamespaces);
  apply(world);
  return stringify(translationText(world.translation), { lineWidth: 0 });
}

function oneByOne(world: TranslatedWorld, manifests: readonly Manifest[]): void {
  for (const manifest of manifests) world.apply(manifest);
}
