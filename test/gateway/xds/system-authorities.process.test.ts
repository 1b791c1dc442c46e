import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { createAuthority } from '../../support/api-server/kube-certificates.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { startTlsWorld } from '../../support/worlds/tls-world.ts';

const credentials = new URL('../../../src/gateway/xds/credentials.ts', import.meta.url).href;

/** Connects in a process of its own: Node reads the authorities of the operating system once. */
const script = `
  const { readCredentials } = await import(${JSON.stringify(credentials)});
  const { Client } = await import('@grpc/grpc-js');
  const none = { ca: undefined, cert: undefined, key: undefined, serverName: undefined };
  const { channel } = await readCredentials({ token: undefined, tls: none });
  const client = new Client(process.argv[1], channel);
  let last = 'none';
  const failed = setInterval(() => client.getChannel().getConnectivityState(true) === 3 && end('refused'), 20);
  const end = (word) => {
    clearInterval(failed);
    if (last === 'none') console.log(last = word);
    client.close();
  };
  client.waitForReady(Infinity, (error) => end(error ? 'refused' : 'connected'));
`;

async function connect(port: number, authority: string): Promise<string> {
  const file = join(temporaryFolder(), 'ca.crt');
  writeFileSync(file, authority);
  const env = { ...process.env, SSL_CERT_FILE: file };
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script, `localhost:${port}`], { env });
  return (await text(child.stdout)).trim();
}

it('without xds_tls.ca, a gateway believes the authorities of the operating system, and no other', async () => {
  const { port, authority } = await startTlsWorld();
  expect(await connect(port, authority.cert)).toBe('connected');
  expect(await connect(port, createAuthority('another').cert)).toBe('refused');
});
