import { describe, expect, it } from 'vitest';
import { createDelta } from '../../../src/serve/ads/delta.ts';
import { bodyOfPieces, weightOf } from '../../../src/serve/ads/response-cache.ts';
import { createStateOfTheWorld } from '../../../src/serve/ads/sotw.ts';
import type { Subscription } from '../../../src/serve/ads/subscription.ts';
import { createHandMadeWorld, targetType } from '../../support/worlds/hand-made-world.ts';

const options = {
  controlPlane: { identifier: 'test' },
  maxBody: 1 << 20,
  limits: { maxNames: 1 << 20, maxReported: () => 1 << 20 },
  cache: 1 << 20,
  assembled: () => undefined,
};

const everything: Subscription = { wildcard: 'explicit', names: new Set() };

describe('a body that is kept for other streams', () => {
  it.each([createDelta(options), createStateOfTheWorld(options)])(
    'keeps no memory but its own alive, in the variant $variety',
    (variant) => {
      const world = createHandMadeWorld();
      world.commit((edit) => {
        edit.gateway('default/gw');
        edit.target('ns/tool');
      });
      const view = world.snapshots.of('default/gw').views.get(targetType);
      if (view === undefined) throw new Error('no view');
      const step = { changed: [...view.resources()], removed: [] };
      const update = { ...step, step };
      const parts = variant.compose(update, { view, subscription: everything, awaited: true });
      expect(parts.map(({ body }) => body.buffer.byteLength)).toEqual(parts.map(({ body }) => body.length));
      expect(parts[0]?.body.length).toBeGreaterThan(100);
    },
  );

  it('weighs more than its bytes, so that bodies of small changes are not kept by the hundred thousand', () => {
    const small = { body: bodyOfPieces([Buffer.from('ab'), Buffer.from('c')]), says: { changed: [], removed: [] } };
    expect(small.body.toString()).toBe('abc');
    expect((64 << 20) / weightOf([small])).toBeLessThan(20_000);
    const slab = Buffer.from('a slice of what Node keeps for small buffers');
    expect(weightOf([{ ...small, body: slab }])).toBeGreaterThan(slab.buffer.byteLength);
  });
});
