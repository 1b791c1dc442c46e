import { describe, expect, it } from 'vitest';
import { createDelta } from '../../../src/serve/ads/delta.ts';
import { cachedSize, concatBody } from '../../../src/serve/ads/response-cache.ts';
import { createStateOfTheWorld } from '../../../src/serve/ads/sotw.ts';
import type { Subscription } from '../../../src/serve/ads/subscription.ts';
import { createHandMadeWorld, targetType } from '../../support/worlds/hand-made-world.ts';

const options = {
  controlPlane: { identifier: 'test' },
  maxBody: 1 << 20,
  limits: { maxNames: 1 << 20, maxInitialVersions: () => 1 << 20 },
  cache: 1 << 20,
  assembled: () => undefined,
};

const wildcard: Subscription = { wildcard: 'explicit', names: new Set() };

describe('a cached response', () => {
  it.each([createDelta(options), createStateOfTheWorld(options)])(
    'has an ArrayBuffer of its own, in the variant $variant',
    (protocol) => {
      const world = createHandMadeWorld();
      world.commit((edit) => {
        edit.gateway('default/gw');
        edit.target('ns/tool');
      });
      const view = world.snapshots.of('default/gw').views.get(targetType);
      if (view === undefined) throw new Error('no view');
      const shared = { changed: [...view.resources()], removed: [] };
      const context = { view, subscription: wildcard, responseRequired: true };
      const chunks = protocol.buildResponses({ ...shared, shared }, context);
      expect(chunks.map(({ body }) => body.buffer.byteLength)).toEqual(chunks.map(({ body }) => body.length));
      expect(chunks[0]?.body.length).toBeGreaterThan(100);
    },
  );

  it('counts more than its bytes, so that the cache does not keep 100,000 small ones', () => {
    const small = { body: concatBody([Buffer.from('ab'), Buffer.from('c')]), delta: { changed: [], removed: [] } };
    expect(small.body.toString()).toBe('abc');
    expect((64 << 20) / cachedSize([small])).toBeLessThan(20_000);
    const pooled = Buffer.from('a slice of the pool for small buffers');
    expect(cachedSize([{ ...small, body: pooled }])).toBeGreaterThan(pooled.buffer.byteLength);
  });
});
