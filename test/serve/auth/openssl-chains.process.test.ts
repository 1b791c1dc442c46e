import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { type AuthWorld, fateOf, startAuthWorld } from '../../support/worlds/auth-world.ts';

/** An authority that the program `openssl` makes certificates for. */
class OpensslAuthority {
  readonly #folder = temporaryFolder();

  constructor() {
    this.#run(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
      '-days',
      '2',
      '-subj',
      '/CN=root',
    );
    this.#sign('middle', 'ca', 'basicConstraints=critical,CA:TRUE');
  }

  get root(): string {
    return this.#read('ca.crt');
  }

  /** @param extensions of the leaf, as a section of openssl's configuration */
  issue(extensions: string, issuer = 'middle'): { readonly key: string; readonly chain: string } {
    this.#sign('leaf', issuer, extensions);
    return {
      key: this.#read('leaf.key'),
      chain: this.#read('leaf.crt') + (issuer === 'ca' ? '' : this.#read('middle.crt')),
    };
  }

  #sign(name: string, issuer: string, extensions: string): void {
    writeFileSync(join(this.#folder, 'ext'), `${extensions}\n`);
    this.#run(
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      'csr',
      '-subj',
      `/CN=${name}`,
    );
    this.#run(
      ...['x509', '-req', '-in', 'csr', '-CA', `${issuer}.crt`, '-CAkey', `${issuer}.key`, '-CAcreateserial'],
      ...['-days', '1', '-extfile', 'ext', '-out', `${name}.crt`],
    );
  }

  #run(...args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: this.#folder, stdio: 'pipe' });
  }

  #read(name: string): string {
    return readFileSync(join(this.#folder, name), 'utf8');
  }
}

async function fate(
  served: AuthWorld,
  { key, chain }: { readonly key: string; readonly chain: string },
): Promise<object> {
  const [ca, privateKey, certificates] = [served.serverCa, key, chain].map((pem) => Buffer.from(pem));
  const client = served.world.client(credentials.createSsl(ca, privateKey, certificates));
  return fateOf(client, { node: { role: 'red~gw' } });
}

const spiffe = 'spiffe://cluster.local/ns/red/sa/gw';
const odd = `subjectAltName=@names\n[names]\nURI.1=${spiffe}, DNS:gw.red\n`;

it.each([
  ['a SPIFFE id behind an intermediate', `subjectAltName=URI:${spiffe}\nextendedKeyUsage=clientAuth`, 'served'],
  ['a DNS name', 'subjectAltName=DNS:gw.red', 'served'],
  ['the usage of servers', `subjectAltName=URI:${spiffe}\nextendedKeyUsage=serverAuth`, /not accepted: .*PURPOSE/],
  ['an escape in the SPIFFE id', 'subjectAltName=URI:spiffe://cluster.local/ns/red/sa/g%77', /is not of the form/],
  ['an escaped slash', 'subjectAltName=URI:spiffe://cluster.local/ns/red/sa/gw%2F', /is not of the form/],
  ['two SPIFFE ids', `subjectAltName=URI:${spiffe},URI:spiffe://cluster.local/ns/red/sa/x`, /two URIs/],
  ['a comma in a name', odd, /has to be quoted/],
  ['no name', 'extendedKeyUsage=clientAuth', /neither a SPIFFE id nor a DNS name/],
])('a certificate that openssl makes, with %s', async (_, extensions, outcome) => {
  const served = await startAuthWorld({ ways: ['mtls'], accounts: { 'red/gw': ['gw'] } });
  const authority = new OpensslAuthority();
  await served.trust({ cert: authority.root, issue: served.clients.issue });
  const got = await fate(served, authority.issue(extensions));
  if (typeof outcome === 'string') expect(got).toEqual({ served: ['default.red-gw'] });
  else expect(got).toMatchObject({ code: 'UNAUTHENTICATED', message: expect.stringMatching(outcome) });
});

it('a chain without its intermediate, or of another root, proves nothing', async () => {
  const served = await startAuthWorld({ ways: ['mtls'], accounts: { 'red/gw': ['gw'] } });
  const [authority, other] = [new OpensslAuthority(), new OpensslAuthority()];
  await served.trust({ cert: authority.root, issue: served.clients.issue });
  const extensions = `subjectAltName=URI:${spiffe}`;
  const { key, chain } = authority.issue(extensions);
  const alone = chain.slice(0, chain.indexOf('-----END') + '-----END CERTIFICATE-----\n'.length);
  expect(await fate(served, { key, chain: alone })).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await fate(served, other.issue(extensions))).toMatchObject({ code: 'UNAUTHENTICATED' });
});
