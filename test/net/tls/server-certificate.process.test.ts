import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CertificateError } from '../../../src/net/tls/pem.ts';
import { ServerCertificate } from '../../../src/net/tls/server-certificate.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { startTlsWorld } from '../../support/worlds/tls-world.ts';

/** A certificate with its own key, which fit together and are too weak for TLS. */
function weakPair(): { readonly folder: string; readonly cert: string; readonly key: string } {
  const folder = temporaryFolder();
  const request = ['req', '-x509', '-newkey', 'rsa:512', '-nodes', '-subj', '/CN=weak', '-days', '2'];
  execFileSync('openssl', [...request, '-keyout', 'tls.key', '-out', 'tls.crt'], { cwd: folder, stdio: 'pipe' });
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  return { folder, cert: read('tls.crt'), key: read('tls.key') };
}

it('a pair that OpenSSL does not use is refused in words at the start', async () => {
  const { folder } = weakPair();
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  const parts = { clock: createManualClock(), log: createRecordedLog(), counters: createRecordedCounters() };
  const opened = ServerCertificate.open(files, { ...parts, minVersion: 'TLSv1.3' });
  await expect(opened).rejects.toBeInstanceOf(CertificateError);
  await expect(opened).rejects.toThrow(/tls\.crt and its key cannot be used for TLS \(ERR_SSL_EE_KEY_TOO_SMALL\)/);
});

it('a pair that OpenSSL does not use is refused in words when it is swapped in, and the old one stays', async () => {
  const served = await startTlsWorld();
  await served.rotate(weakPair());
  expect(served.world.log.lines.map(({ message }) => message)).toEqual([
    'the new TLS certificate is refused, and the old one stays in use',
  ]);
  await served.world.following({}, served.channel);
});
