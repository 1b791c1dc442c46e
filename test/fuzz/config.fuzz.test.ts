import { describe, expect } from 'vitest';
import { loadConfig } from '../../src/gateway/config/config.ts';
import { GatewayError } from '../../src/gateway/errors.ts';
import { objectIn, parseJson } from '../../src/json/json.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';

const parts = {
  mounts: (path: string): string => path,
  fetchText: (): Promise<string> => Promise.reject(new Error('nothing is fetched')),
};

describe('the configuration of a gateway', () => {
  fuzz('is refused with a GatewayError or keeps every restriction that it has', {
    corpus: new URL('./corpus/config/', import.meta.url),
    dictionary: [
      '"authn":null',
      '"issuer":[]',
      '"audience":["a"]',
      '"type":"stdio"',
      '"port":',
      '"__proto__":',
      '[]',
      '{}',
      '\xef\xbb\xbf',
    ],
    async run(input) {
      const text = input.toString();
      const outcome = await loadConfig({ file: undefined, config: text }, parts).catch((error: unknown) => error);
      if (outcome instanceof Error) {
        expect(outcome).toBeInstanceOf(GatewayError);
        return;
      }
      const { config } = outcome as Awaited<ReturnType<typeof loadConfig>>;
      const listener = objectIn(parseJson(text.replace(/^\uFEFF/, ''))?.value, 'listener');
      if (config.listener.type === 'stdio') return;
      expect(config.listener.authn === undefined).toBe((listener['authn'] ?? null) === null);
      const { issuer = [], audience = [] } = objectIn(listener, 'authn');
      expect(config.listener.authn?.issuers ?? []).toEqual(issuer);
      expect(config.listener.authn?.audiences ?? []).toEqual(audience);
    },
  });
});
