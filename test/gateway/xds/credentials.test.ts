import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { XdsSecurity } from '../../../src/gateway/config/model.ts';
import { nodeOf } from '../../../src/gateway/xds/node.ts';
import { createXdsClient, type XdsClient } from '../../../src/gateway/xds/xds.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { systemClock } from '../../support/edges/system-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { type AuthWorld, startAuthWorld } from '../../support/worlds/auth-world.ts';

const accounts = { 'red/gw': ['gw'] };

interface Rig {
  readonly client: XdsClient;
  readonly log: RecordedLog;
  /** Settles when the gateway has the Config of its Gateway. */
  readonly configured: Promise<void>;
}

/** A gateway's client that connects to the world over these files. */
function connect({ world }: AuthWorld, security: XdsSecurity, host = 'localhost'): Rig {
  const port = Number(world.address.split(':')[1]);
  const log = createRecordedLog();
  const client = createXdsClient({
    controlPlane: { authority: { host, port: 9977 }, address: { host: '127.0.0.1', port }, security },
    node: nodeOf(
      { metadata: new Map(), altXdsHostname: undefined },
      { POD_NAMESPACE: 'red', GW_NAME: 'gw' },
      Math.random,
    ),
    clock: systemClock,
    random: () => 0,
    log,
  });
  const configured = new Promise<void>((resolve) => {
    client.config.subscribe(() => {
      if (client.config.rbacConfigs.size > 0) resolve();
    });
  });
  onTestFinished(client.start());
  return { client, log, configured };
}

/** Writes files into a folder, and returns their paths by name. */
function written(files: Readonly<Record<string, string>>): (name: string) => string {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return (name) => join(folder, name);
}

const noFiles = { ca: undefined, cert: undefined, key: undefined, serverName: undefined };

describe('a gateway', () => {
  it('shows its token over TLS, and the one of a changed file on the next stream', async () => {
    const served = await startAuthWorld({ ways: ['token'], accounts });
    const path = written({ ca: served.serverCa, token: `${await served.token('red/other')}\n` });
    const { configured, log } = connect(served, { tls: { ...noFiles, ca: path('ca') }, token: path('token') });
    await log.line('PERMISSION_DENIED');
    writeFileSync(path('token'), await served.token('red/gw'));
    await configured;
    expect(log.text()).not.toContain((await served.token('red/gw')).slice(0, 60));
  });

  it('shows its client certificate', async () => {
    const served = await startAuthWorld({ ways: ['mtls'], accounts });
    const { cert, key } = served.clients.issue({ names: [], uris: ['spiffe://cluster.local/ns/red/sa/gw'] });
    const path = written({ ca: served.serverCa, cert, key });
    const tls = { ca: path('ca'), cert: path('cert'), key: path('key'), serverName: undefined };
    await connect(served, { tls, token: undefined }).configured;
  });

  it('does not connect to a server of another name, unless it is told that name', async () => {
    const served = await startAuthWorld({ ways: ['token'], accounts });
    const path = written({ ca: served.serverCa, token: await served.token('red/gw') });
    const tls = { ...noFiles, ca: path('ca') };
    const { log } = connect(served, { tls, token: path('token') }, 'kgateway');
    await log.line('no connection to the control plane');
    expect(served.world.counters.total('gatehouse_xds_requests_total')).toBe(0);
    await connect(served, { tls: { ...tls, serverName: 'localhost' }, token: path('token') }, 'kgateway').configured;
  });

  it.each([
    ['an empty token', '\n', 'is empty'],
    ['two lines', 'a\nb\n', 'has something else than one token on one line'],
    ['a token of nearly 1 MiB', 'a'.repeat((1 << 20) - 1), 'has 1048575 characters, and a token has at most 8192'],
    ['a token of more than 1 MiB', 'a'.repeat((1 << 20) + 1), 'is larger than 1048576 bytes'],
  ])('says what is wrong with the file of its token: %s', async (_, text, problem) => {
    const served = await startAuthWorld({ ways: ['token'], accounts });
    const path = written({ ca: served.serverCa, token: text });
    const { log } = connect(served, { tls: { ...noFiles, ca: path('ca') }, token: path('token') });
    const { message } = await log.line('no connection to the control plane');
    expect(message).toContain(`${path('token')} ${problem}`);
    expect(message.length).toBeLessThan(1_000);
  });
});
