import { beforeAll, describe, expect } from 'vitest';
import { createAuthenticator } from '../../src/gateway/authn/authn.ts';
import type { JwtAuthenticator } from '../../src/gateway/authn/model.ts';
import { createRecordedLog, type RecordedLog } from '../support/edges/recorded-log.ts';
import { systemClock } from '../support/edges/system-clock.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';
import { guideJwk, guideToken } from '../support/processes/guide.ts';

let log: RecordedLog;
let authenticator: JwtAuthenticator;

beforeAll(async () => {
  log = createRecordedLog();
  const jwks = { kind: 'inline', text: JSON.stringify(guideJwk) } as const;
  const fetchText = (): Promise<string> => Promise.reject(new Error('no keys are fetched'));
  authenticator = await createAuthenticator(
    { issuers: ['me'], audiences: ['me.com'], jwks },
    { clock: systemClock, log, fetchText },
  );
});

const [header, claims] = guideToken.split('.');
const longestMessage = 200;

describe('an Authorization header', () => {
  fuzz('makes a caller only of the token that the issuer signed', {
    corpus: new URL('./corpus/authorization/', import.meta.url),
    dictionary: ['Bearer ', ' ', '\t', '.', '=', '=='.repeat(8), 'eyJhbGciOiJub25lIn0', 'eyJhbGciOiJIUzI1NiJ9', ','],
    async run(input) {
      const authorization = input.toString('latin1');
      const logged = log.lines.length;
      const result = await authenticator.authenticate(authorization);
      if (result.kind === 'caller') {
        const token = /^\s*bearer\s+(?<token>\S+)\s*$/i.exec(authorization)?.groups?.['token'];
        expect(token?.split('.').slice(0, 2)).toEqual([header, claims]);
        expect(result.caller).toMatchObject({ kind: 'principal', claims: { iss: 'me', sub: 'me' } });
        return;
      }
      expect([401, 503]).toContain(result.status);
      expect(result.message.length).toBeLessThan(longestMessage);
      expect(result.challenge ?? '').toMatch(/^[\x20-\x7e]*$/);
      expect(log.lines.slice(logged).filter(({ level }) => level === 'error')).toEqual([]);
    },
  });
});
