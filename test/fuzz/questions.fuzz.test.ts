import { setImmediate } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { explainView } from '../../src/debug/api/explain-view.ts';
import { RequestError } from '../../src/debug/routes.ts';
import type { Answered, Question } from '../../src/explain/model.ts';
import { parseJson } from '../../src/json/json.ts';
import { systemClock } from '../support/edges/system-clock.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';

describe('a question to the debug endpoint', () => {
  fuzz('is refused with a message that quotes little, or asked with the members that it has', {
    corpus: new URL('./corpus/questions/', import.meta.url),
    dictionary: [
      '"gateway":',
      '"request":{',
      '"kind":"prompt"',
      '"name":""',
      '"claims":[]',
      '"__proto__":',
      'null',
      '{',
      '}',
    ],
    async run(input) {
      const body = parseJson(input.toString())?.value;
      const asked: Question[] = [];
      const answer = function* (question: Question): Generator<undefined, Answered> {
        asked.push(question);
        yield undefined;
        return { ok: false, message: 'no answer' };
      };
      const resources = { MCPAuthPolicy: new Map() };
      const parts = { answer, placesOf: async () => [], problems: () => [], resources, clock: systemClock };
      const refused = await explainView(parts, body, setImmediate).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(RequestError);
      expect(String(refused).length).toBeLessThanOrEqual(400);
      const json = JSON.parse(JSON.stringify(body ?? {}));
      for (const { gateway, request, claims } of asked) {
        expect([gateway, request, claims].map((part) => part ?? null)).toEqual(
          ['gateway', 'request', 'claims'].map((name) => (Object.hasOwn(json, name) ? (json[name] ?? null) : null)),
        );
      }
    },
  });
});
