import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { createAuthority } from '../../support/api-server/kube-certificates.ts';
import { createIssuer } from '../../support/gateway/issuer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const authority = createAuthority('issuer');
const issuer = await createIssuer('ES256', 'k');
const keys = JSON.stringify({ keys: [issuer.jwk] });

/** Reads the keys in a process of its own: Node reads NODE_EXTRA_CA_CERTS when it starts. */
const script = `
  const { openKeySet } = await import(${JSON.stringify(new URL('../../../src/app/access/key-set-source.ts', import.meta.url).href)});
  const log = { warn() {}, info() {} };
  const { systemClock: clock } = await import(${JSON.stringify(new URL('../../../src/cli/system-clock.ts', import.meta.url).href)});
  try {
    const source = await openKeySet(process.argv[1], { clock, log });
    source.stop();
    console.log('read');
  } catch (error) {
    console.log(error.message);
  }
`;

async function serve(handle: RequestListener): Promise<string> {
  const server = createServer({ ...authority.issue() }, handle).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return `https://localhost:${(server.address() as AddressInfo).port}/keys`;
}

async function read(url: string, trusted = true): Promise<string> {
  const file = join(temporaryFolder(), 'ca.crt');
  writeFileSync(file, authority.cert);
  const env = { ...process.env, ...(trusted && { NODE_EXTRA_CA_CERTS: file }) };
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script, url], { env });
  return (await text(child.stdout)).trim();
}

it('keys are read over https from a server of an own authority, which NODE_EXTRA_CA_CERTS names', async () => {
  const url = await serve((_, response) => response.end(keys));
  expect(await read(url)).toBe('read');
  expect(await read(url, false)).toMatch(/^the keys in https:.* \(--xds-auth-jwks\) cannot be used: /);
});

it.each<[string, RequestListener]>([
  ['a redirect', (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
  ['HTML', (_, response) => response.end('<html></html>')],
  ['another status', (_, response) => response.writeHead(500).end(keys)],
  [
    'more keys than anybody publishes',
    (_, response) => response.end(JSON.stringify({ keys: Array(101).fill(issuer.jwk) })),
  ],
  ['a secret', (_, response) => response.end(JSON.stringify({ keys: [issuer.privateJwk] }))],
  ['more than 1 MiB', (_, response) => response.end(keys + ' '.repeat(1 << 20))],
  ['a coding that was not asked for', (_, response) => response.setHeader('content-encoding', 'gzip').end(keys)],
])('keys are refused in words when the answer is %s', async (_, handle) => {
  expect(await read(await serve(handle))).toMatch(/^the keys in https:.* \(--xds-auth-jwks\) cannot be used: ./);
});
