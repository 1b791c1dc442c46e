import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer as createPlain } from 'node:http';
import { createServer, type Server } from 'node:https';
import { createServer as createPlainTcp } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConnectError } from '../../../src/gateway/errors.ts';
import type { TargetFetch, TargetResponse } from '../../../src/gateway/model.ts';
import { createTargetConnector } from '../../../src/gateway/network/connector.ts';
import { createNetwork } from '../../../src/gateway/network/network.ts';
import { PacedReading } from '../../../src/gateway/network/paced-reading.ts';
import { parseResolutions } from '../../../src/gateway/network/resolve.ts';
import { createTargetSettings, type TargetFiles } from '../../../src/gateway/network/target-settings.ts';
import { reasonOf } from '../../../src/net/errors.ts';
import { HostLookups } from '../../../src/net/outbound/host-lookups.ts';
import { type CertificateWishes, createAuthority } from '../../support/api-server/kube-certificates.ts';
import { lookUntil } from '../../support/edges/look-until.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { createFakeConfig } from '../../support/gateway/fake-config.ts';
import { portOf } from '../../support/gateway/gateway-rig.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const authority = createAuthority('authority of targets');
const host = 'tool.default.svc.cluster.local';

async function serve(wishes: CertificateWishes): Promise<Server> {
  const server = createServer(authority.issue(wishes), (_, response) => response.end('reached'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  onTestFinished(() => server.closeAllConnections());
  return server;
}

interface Reached {
  readonly get: () => Promise<string>;
  readonly failures: readonly string[];
  readonly clock: ManualClock;
  readonly log: RecordedLog;
}

/** Requests to a target on port 443, which is at this server. */
async function reach(server: Pick<Server, 'address'>, files: Partial<TargetFiles> = {}): Promise<Reached> {
  const clock = createManualClock();
  const log = createRecordedLog();
  const settings = createTargetSettings(clock, log);
  onTestFinished(await settings.open({ ca: undefined, headersFile: undefined, passHeaders: [], ...files }));
  const failures: string[] = [];
  const to = `${host}:443=127.0.0.1:${portOf(server.address())}`;
  const network = createNetwork({
    resolutions: parseResolutions([to]),
    settings,
    clock,
    failed: (reason) => failures.push(reason),
  });
  onTestFinished(network.stop);
  const target: TargetFetch = network.targetFetch({ name: 'default/tool', host, port: 443, path: '/mcp' });
  const get = (): Promise<string> => {
    const { signal } = new AbortController();
    const request = { method: 'GET', headers: {}, body: null, signal } as const;
    return target(new URL(`https://${host}/mcp`), request).then(textOf, reasonOf);
  };
  return { get, failures, clock, log };
}

async function textOf({ body }: TargetResponse): Promise<string> {
  let text = '';
  for await (const chunk of body ?? []) text += Buffer.from(chunk).toString();
  return text;
}

function caFile(...certificates: readonly string[]): string {
  const path = join(temporaryFolder(), 'ca.crt');
  writeFileSync(path, certificates.join('\n'));
  return path;
}

describe('a target with TLS', () => {
  it('is reached when an authority that is named has signed its certificate for its host', async () => {
    const { get, failures } = await reach(await serve({ names: [host] }), { ca: caFile(authority.cert) });
    expect([await get(), failures]).toEqual(['reached', []]);
  });

  it.each<[string, CertificateWishes, string | undefined, string]>([
    [
      'is of an authority that the system does not know',
      { names: [host] },
      undefined,
      `${host}:443 has a certificate of an authority that is not known here: name it in upstream.ca (UNABLE_TO_VERIFY_LEAF_SIGNATURE)`,
    ],
    [
      'is of another authority than the one named',
      { names: [host] },
      createAuthority('another').cert,
      'has a certificate of an authority that is not known here',
    ],
    [
      'is for another name',
      { names: ['localhost', '127.0.0.1'] },
      authority.cert,
      'has a certificate for another name than that of its host (ERR_TLS_CERT_ALTNAME_INVALID)',
    ],
    [
      'has expired',
      { names: [host], until: new Date('2021-01-01') },
      authority.cert,
      'has a certificate that has expired (CERT_HAS_EXPIRED)',
    ],
    [
      'is not valid yet',
      { names: [host], from: new Date('2080-01-01') },
      authority.cert,
      'has a certificate that is not valid yet: compare the clocks (CERT_NOT_YET_VALID)',
    ],
    [
      'is one of a client',
      { names: [host], usage: 'clientAuth' },
      authority.cert,
      'has a certificate that is not valid',
    ],
  ])('is not reached when its certificate %s', async (_, wishes, ca, reason) => {
    const files = ca === undefined ? {} : { ca: caFile(ca) };
    const { get, failures } = await reach(await serve(wishes), files);
    expect(await get()).toContain(reason);
    expect(failures).toEqual(['certificate']);
  });
});

describe('a target at port 443', () => {
  it('that speaks plaintext is not reached', async () => {
    const server = createPlain((_, response) => response.end('reached'));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
    const { get } = await reach(server);
    expect(await get()).toContain('does not speak TLS as it should at this port');
  });

  it('is verified by the authorities of a file that has changed, though a session of before could be resumed', async () => {
    const path = caFile(authority.cert);
    const server = await serve({ names: [host] });
    const { get, clock, log } = await reach(server, { ca: path });
    expect(await get()).toBe('reached');
    writeFileSync(path, createAuthority('another').cert);
    await lookUntil(clock, log.line('read the files'));
    // The next request may still go to the connection of before, and fail with it.
    server.closeAllConnections();
    await get();
    expect(await get()).toContain('an authority that is not known here');
  });
});

it('a target that accepts a connection and is silent then is given up after the time for connections', async () => {
  const silent = createPlainTcp();
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const failures: string[] = [];
  const connect = createTargetConnector(
    { find: (name, port) => ({ host: name, port }) },
    {
      authorities: () => [],
      lookups: new HostLookups(createManualClock()),
      reading: new PacedReading(createManualClock()),
      failed: (reason) => failures.push(reason),
      connectTimeout: 100,
    },
  );
  const port = String(portOf(silent.address()));
  const error = await new Promise((resolve) =>
    connect({ hostname: '127.0.0.1', host: `127.0.0.1:${port}`, protocol: 'https:', port }, (...[failed]) =>
      resolve(failed),
    ),
  );
  expect(error).toBeInstanceOf(ConnectError);
  expect(error).toMatchObject({ failure: 'timeout', message: `no connection to 127.0.0.1:${port} within 0.1 s` });
  expect(failures).toEqual(['connection']);
  silent.close();
});

it('headers for a target that does not exist are warned of, until it does', async () => {
  const log = createRecordedLog();
  const settings = createTargetSettings(createManualClock(), log);
  const headersFile = join(temporaryFolder(), 'headers.json');
  writeFileSync(headersFile, '{"default/tool": {"x-a": "secret"}, "default/toool": {"x-a": "secret"}}', {
    mode: 0o600,
  });
  onTestFinished(await settings.open({ ca: undefined, headersFile, passHeaders: [] }));
  const config = createFakeConfig();
  onTestFinished(settings.compareWith(config));
  const put = (name: string): void => config.putTarget({ name, host, port: 443, path: '/mcp' });
  put('default/tool');
  put('default/tool');
  expect(log.lines.map(({ level, fields }) => [level, fields['because']])).toEqual([['warn', 'default/toool']]);
  put('default/toool');
  expect(log.lines).toHaveLength(1);
});
