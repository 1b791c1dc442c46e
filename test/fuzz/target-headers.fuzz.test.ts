import { describe, expect } from 'vitest';
import { decodeTargetHeaders, type TargetHeaders } from '../../src/gateway/network/target-headers.ts';
import { isJsonObject, parseJson } from '../../src/json/json.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';

/** The values of a file, which are secrets, but for those that are a name in it as well. */
function secretsOf(json: unknown): readonly string[] {
  const targets = isJsonObject(json) ? Object.entries(json) : [];
  const headers = targets.flatMap(([, entries]) => (isJsonObject(entries) ? Object.entries(entries) : []));
  const names = [...targets, ...headers].map(([name]) => name).join('\n');
  return headers.flatMap(([, value]) =>
    typeof value === 'string' && value.length >= 8 && !names.includes(value) ? [value] : [],
  );
}

describe('a file with headers for targets', () => {
  fuzz('has names and values that HTTP can carry, or is refused without a quotation of a value', {
    corpus: new URL('./corpus/target-headers/', import.meta.url),
    dictionary: [
      '"default/a":{',
      '"Authorization":"',
      '"authorization":"',
      '"host":"a"',
      '"content-length":"1"',
      '"mcp-session-id":"1"',
      '"__proto__":{"x-a":"secret-value"}',
      '\\r\\n',
      '\\u0000',
      '\xc3\xa9',
      '{',
      '}',
      ',',
    ],
    run(input) {
      const text = input.toString();
      const json = parseJson(text)?.value;
      let headers: TargetHeaders;
      try {
        headers = decodeTargetHeaders(text);
      } catch (error) {
        expect(String(error).length).toBeLessThanOrEqual(1_000);
        for (const secret of secretsOf(json)) expect(String(error)).not.toContain(secret);
        return;
      }
      expect([...headers.keys()]).toEqual(Object.keys(json as object));
      for (const [target, entries] of headers) {
        const written = Object.entries((json as Record<string, object>)[target] ?? {});
        expect([...entries]).toEqual(written.map(([name, value]) => [name.toLowerCase(), value]));
        // What a request of Node takes, and nothing that frames it or says whose it is.
        expect(() => new Headers([...entries])).not.toThrow();
        for (const name of ['host', 'content-length', 'transfer-encoding', 'connection', 'mcp-session-id']) {
          expect(entries.has(name)).toBe(false);
        }
      }
    },
  });
});
