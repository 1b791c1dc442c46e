import { describe, expect } from 'vitest';
import { objectIn, parseJson } from '../../src/json/json.ts';
import { apiErrorText, responseError, watchError } from '../../src/kube/api-error.ts';
import { reviewAccess, reviewToken } from '../../src/kube/reviews.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';

const { signal } = new AbortController();
const user = { username: 'a', uid: '1', groups: [], extra: {} };

describe('an answer of the API server', () => {
  fuzz('lets nobody in unless it says so in the right members, and has a short message', {
    corpus: new URL('./corpus/api-answers/', import.meta.url),
    dictionary: [
      '"authenticated":true',
      '"audiences":["gatehouse"]',
      '"allowed":true',
      '"denied":true',
      '"kind":',
      '{',
      '}',
      ',',
    ],
    async run(input) {
      const body = input.toString();
      const connection = { ask: async () => ({ status: 201, header: () => undefined, headers: {}, body }) };
      const asked = connection as unknown as Parameters<typeof reviewToken>[0];
      const status = objectIn(objectIn({ json: parseJson(body)?.value }, 'json'), 'status');
      const token = await reviewToken(asked, { token: 't', audience: 'gatehouse', signal });
      if (token.kind === 'authenticated') {
        expect(status['authenticated']).toBe(true);
        expect(status['audiences']).toContain('gatehouse');
        expect(token.user.groups.every((group) => typeof group === 'string')).toBe(true);
      } else {
        expect(token.message.length).toBeLessThanOrEqual(300);
      }
      const access = await reviewAccess(asked, user, { path: '/debug/status', verb: 'get' }, signal);
      if (access.kind === 'allowed') expect([status['allowed'], status['denied'] === true]).toEqual([true, false]);
      for (const error of [
        responseError({ status: 410, header: () => body, body } as unknown as Parameters<typeof responseError>[0], 0),
        watchError(parseJson(body)?.value),
      ]) {
        expect(apiErrorText(error).length).toBeLessThanOrEqual(500);
      }
    },
  });
});
