import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { openKeySet } from '../../../src/app/access/key-set-source.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { createIssuer } from '../../support/gateway/issuer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const { jwk, privateJwk } = await createIssuer('ES256', 'k');

it.each<[string, object, string]>([
  ['empty', { keys: [] }, 'no key verifies tokens any more'],
  ['of a private key', { keys: [privateJwk] }, 'holds a private key'],
])('a set that is %s withdraws the keys of nodes, and what is none keeps them', async (_, set, why) => {
  const [clock, log, path] = [createManualClock(), createRecordedLog(), join(temporaryFolder(), 'keys.json')];
  writeFileSync(path, JSON.stringify({ keys: [jwk] }));
  const { keys, stop } = await openKeySet(path, { clock, log });
  onTestFinished(stop);
  expect(keys().fingerprints.size).toBe(1);
  writeFileSync(path, '{"keys": [');
  const line = async (text: string): Promise<void> => {
    while (!log.text().includes(text)) {
      clock.advance(1_000);
      await nextTurn();
    }
  };
  await line('the keys that verify tokens cannot be read again; the last ones stay in use');
  expect(keys().fingerprints.size).toBe(1);
  writeFileSync(path, JSON.stringify(set));
  await line(why);
  expect(keys().fingerprints.size).toBe(0);
  await expect(openKeySet(path, { clock, log })).rejects.toThrow('(--xds-auth-jwks) cannot be used: ');
});
