import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createAuthenticator } from '../../../src/gateway/authn/authn.ts';
import type { KeySource } from '../../../src/gateway/authn/key-set.ts';
import { openFileKeys } from '../../../src/gateway/authn/local-keys.ts';
import { openRemoteKeys } from '../../../src/gateway/authn/remote-keys.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { guideJwk, guideToken } from '../../support/processes/guide.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const warnings = (log: RecordedLog): readonly string[] =>
  log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);

const jwks = {
  kind: 'remote',
  url: new URL('https://issuer.example/jwks'),
  headers: new Map(),
  initialTimeout: 3000,
  refreshInterval: 60_000,
} as const;

it.each<[string, object, string]>([
  ['empty', { keys: [] }, ''],
  ['of keys that must not be used', { keys: [{ ...guideJwk, d: 'secret' }] }, 'holds a private key'],
])('keys of a file are withdrawn by a set that is %s, which is an error at the start alone', async (_, set, why) => {
  const [clock, log, path] = [createManualClock(), createRecordedLog(), join(temporaryFolder(), 'jwks.json')];
  writeFileSync(path, JSON.stringify(guideJwk));
  const config = { issuers: ['me'], audiences: ['me.com'], jwks: { kind: 'file', path } } as const;
  const authn = await createAuthenticator(config, { clock, log, fetchText: async () => '' });
  expect(await authn.authenticate(`Bearer ${guideToken}`)).toMatchObject({ kind: 'caller' });
  writeFileSync(path, JSON.stringify(set));
  clock.advance(1000);
  expect(await authn.authenticate(`Bearer ${guideToken}`)).toMatchObject({ kind: 'refused' });
  expect(warnings(log)).toContainEqual(
    expect.stringMatching(/^there is no usable key in the file .*jwks\.json any more: /),
  );
  expect(warnings(log).join('\n')).toContain(why);
  await expect(openFileKeys(path, { clock, log })).rejects.toThrow('cannot be used');
});

it('remote keys are withdrawn by an answer without any, and none are had at the start', async () => {
  const [clock, log] = [createManualClock(), createRecordedLog()];
  let answer = JSON.stringify(guideJwk);
  const open = (): KeySource => openRemoteKeys(jwks, { clock, log, fetchText: async () => answer });
  const source = open();
  await source.keys();
  answer = '{"keys":[]}';
  clock.advance(600_000);
  await log.line('new keys were fetched');
  expect((await source.keys())?.kids).toEqual([]);
  expect(warnings(log)).toEqual([
    'there is no usable key in https://issuer.example/jwks any more: every token of it is refused',
  ]);
  expect(await open().keys()).toBeUndefined();
});
