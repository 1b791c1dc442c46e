import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Translation, TranslationSettings } from '../../src/translate/model.ts';
import { withGarbage } from '../support/worlds/garbage.ts';
import {
  createTranslatedWorld,
  type Manifest,
  readManifest,
  type TranslatedWorld,
} from '../support/worlds/translated-world.ts';
import { configsOf, ruleText, targetsOf, translationText } from '../support/worlds/translation-text.ts';
import { anyManifest, anyWorld } from '../support/worlds/worlds.ts';

/** One commit of set and deleted objects. */
const batch = fc.array(fc.record({ manifest: anyManifest, deleted: fc.boolean() }), { maxLength: 4 });

/** So little that most worlds have more, and lose it again with an edit. */
const littleRoom = { selectedNamespaces: 1, keyBytes: 300 };

describe('the translation', () => {
  it.each([
    ['room for everything', {}],
    ['little room', { room: littleRoom }],
  ])('is the same after any history as from scratch in any order, with %s', (_, settings) => {
    let crowded = 0;
    fc.assert(
      fc.property(
        anyWorld,
        fc.array(batch, { maxLength: 5 }),
        fc.infiniteStream(fc.nat()),
        (start, batches, chance) => {
          const world = createTranslatedWorld(settings);
          const current = new Map<string, Manifest>();
          for (const edits of [start.map((manifest) => ({ manifest, deleted: false })), ...batches]) {
            world.graph.commit(() => {
              for (const { manifest, deleted } of edits) edit(world, current, manifest, deleted);
            });
            const shuffled = [...current.values()].map((manifest) => ({ manifest, at: chance.next().value }));
            const fresh = createTranslatedWorld(settings);
            for (const { manifest } of shuffled.sort((a, b) => a.at - b.at)) fresh.apply(manifest);
            expect(translationText(world.translation)).toEqual(translationText(fresh.translation));
            if (hasCrowded(world.translation)) crowded += 1;
          }
        },
      ),
      { numRuns: 60 },
    );
    expect(crowded > 0).toBe('room' in settings);
  });

  it('never allows or shows more because of garbage', () => {
    fc.assert(
      fc.property(
        anyWorld.chain((world) => fc.tuple(fc.constant(world), withGarbage(world))),
        ([world, corrupted]) => {
          const access = accessIn(world);
          expect(access).toEqual(expect.arrayContaining([...accessIn(corrupted)]));
          // Garbage may make room for what had none before, and for no more than the manifests say.
          expect(access).toEqual(expect.arrayContaining([...accessIn(corrupted, { room: littleRoom })]));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('never fails', () => {
    fc.assert(
      fc.property(
        anyWorld.chain((world) => withGarbage(world)),
        (world) => {
          expect(createTranslatedWorld().apply(...world).failures).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });
});

function edit(world: TranslatedWorld, current: Map<string, Manifest>, manifest: Manifest, deleted: boolean): void {
  const reading = readManifest(manifest);
  world.inputs.apply(deleted ? { ...reading, resource: undefined } : reading);
  if (deleted) current.delete(`${reading.kind} ${reading.key}`);
  else current.set(`${reading.kind} ${reading.key}`, manifest);
}

function hasCrowded({ gatewayStatuses }: Translation): boolean {
  const conditions = [...gatewayStatuses.entries()].flatMap(([, status]) => status.conditions);
  return conditions.some(({ reason }) => reason === 'NoResources');
}

/** The rules on each Gateway, and the Services that it serves. */
function accessIn(manifests: readonly Manifest[], settings: Partial<TranslationSettings> = {}): readonly string[] {
  const { translation, apply } = createTranslatedWorld(settings, false);
  apply(...manifests);
  return [...new Set([...translation.gateways.entries()].flatMap(([gateway]) => accessOf(translation, gateway)))];
}

function accessOf(translation: Translation, gateway: string): readonly string[] {
  const state = translation.gateways.get(gateway);
  if (state?.kind !== 'served') return [];
  const rules = configsOf(translation, gateway).flatMap(({ rules }) => rules.map((rule) => `allows ${ruleText(rule)}`));
  const services = targetsOf(translation, state).map(({ name }) => `shows ${name.split('/', 2).join('/')}`);
  return [...rules, ...services].map((access) => `${gateway} ${access}`);
}
