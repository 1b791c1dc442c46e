import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSecurity } from '../../../src/app/access/security.ts';
import { EnvironmentError } from '../../../src/app/errors.ts';
import type { ServeSettings } from '../../../src/app/settings.ts';
import { createAuthority } from '../../support/api-server/kube-certificates.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { createIssuer } from '../../support/gateway/issuer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const authority = createAuthority('gateways');
const own = authority.issue();
const issuer = await createIssuer('ES256', 'k');

type Settings = Parameters<typeof openSecurity>[0];

/** What the start says about these settings. */
async function linesOf(settings: Settings): Promise<readonly string[]> {
  const log = createRecordedLog();
  const parts = { clock: createManualClock(), log, counters: createRecordedCounters() };
  const security = await openSecurity(settings, { ...parts, connection: undefined, denied: () => undefined });
  await security.stop();
  return log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
}

const anywhere = { host: '0.0.0.0', port: 9977 };
const open: Settings = {
  xdsTls: { mode: 'off' },
  xdsAuth: { kind: 'none' },
  debugAuth: { kind: 'none' },
  xdsListen: anywhere,
};

function tls(mode: 'on' | 'either', { cert, key } = own): ServeSettings['xdsTls'] {
  const folder = temporaryFolder();
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
  return { mode, files, minVersion: 'TLSv1.3' };
}

function tokens(): ServeSettings['xdsAuth'] {
  const location = join(temporaryFolder(), 'jwks.json');
  writeFileSync(location, JSON.stringify({ keys: [issuer.jwk] }));
  return {
    kind: 'required',
    tokens: { audience: 'gatehouse', keys: { location, issuer: 'kube' } },
    certificates: undefined,
  };
}

const namesAny = 'whoever reaches the port of the gateways reads the rules of any Gateway';
const plaintext = 'gateways may connect in plaintext: whoever is on the way reads and changes what they get';

describe('the start warns', () => {
  it('that nobody is asked, and of plaintext, where others can connect', async () => {
    expect(await linesOf(open)).toEqual([namesAny, plaintext]);
    expect(await linesOf({ ...open, xdsTls: tls('on') })).toEqual([namesAny]);
    expect(await linesOf({ ...open, xdsTls: tls('either') })).toEqual([namesAny, plaintext]);
  });

  it('that tokens in plaintext can be taken', async () => {
    const taken = [`${plaintext}, and takes their tokens`];
    expect(await linesOf({ ...open, xdsAuth: tokens() })).toEqual(taken);
    expect(await linesOf({ ...open, xdsAuth: tokens(), xdsTls: tls('either') })).toEqual(taken);
  });

  it('of nothing on loopback, and of nothing that is secured', async () => {
    expect(await linesOf({ ...open, xdsListen: { host: '127.0.0.1', port: 9977 } })).toEqual([]);
    expect(await linesOf({ ...open, xdsAuth: tokens(), xdsTls: tls('on') })).toEqual([]);
  });
});

it('a pair of files that does not fit together ends the start with the files in words', async () => {
  const start = linesOf({ ...open, xdsTls: tls('on', { cert: own.cert, key: authority.issue().key }) });
  await expect(start).rejects.toBeInstanceOf(EnvironmentError);
  await expect(start).rejects.toThrow(/tls\.key is not the key of the first certificate in .*tls\.crt/);
});
