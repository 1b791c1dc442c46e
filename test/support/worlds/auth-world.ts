import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import type { JWTPayload } from 'jose';
import { onTestFinished } from 'vitest';
import { ServerCertificate } from '../../../src/net/tls/server-certificate.ts';
import type { DeniedClaim } from '../../../src/serve/model.ts';
import { loadKeySetVerifier, type VerifyToken } from '../../../src/serve/serve.ts';
import { type Authority, createAuthority, type Identity } from '../api-server/kube-certificates.ts';
import { createIssuer, type Issuer } from '../gateway/issuer.ts';
import type { AdsClient } from '../nodes/ads-client.ts';
import { configType } from './hand-made-world.ts';
import { type ServedWorld, startServedWorld } from './served-world.ts';
import { MountedSecret } from './tls-world.ts';

const audience = 'gatehouse';

/** A served world that asks nodes who they are; it accepts TLS and plaintext. */
export interface AuthWorld {
  readonly world: ServedWorld;
  readonly issuer: Issuer;
  readonly clients: Authority;
  /** The authority of the server, PEM. */
  readonly serverCa: string;
  /** The accounts of each Gateway; change them and call `recheck` of the server with its name. */
  readonly accounts: Map<string, readonly string[]>;
  readonly denied: DeniedClaim[];
  /** Signs a token, by default a good one of the account. */
  token(account: string, claims?: JWTPayload): Promise<string>;
  /** The credentials of a connection, with a client certificate or without. */
  channel(client?: Identity): ChannelCredentials;
  /** Replaces the keys that tokens are verified with by those of another issuer. */
  withdrawKey(): void;
  /** Replaces the authorities of client certificates, and settles when the server has read them. */
  trust(...authorities: readonly Authority[]): Promise<void>;
}

export interface AuthWorldOptions {
  /** Empty: nobody is asked (`--xds-auth=none`). */
  readonly ways: readonly ('token' | 'mtls')[];
  readonly accounts: Readonly<Record<string, readonly string[]>>;
  /** Verifies tokens instead of the issuer's keys. */
  readonly verify?: VerifyToken;
}

const gatewaysOf = (
  accounts: ReadonlyMap<string, readonly string[]>,
  namespace: string,
  name: string,
): readonly string[] =>
  [...accounts].flatMap(([gateway, names]) =>
    gateway.startsWith(`${namespace}/`) && names.includes(name) ? [gateway] : [],
  );

/** A test opens more streams on a connection than a node does. */
const manyStreams = { furtherStreamRate: 1_000_000, furtherStreamBurst: 1_000_000 };

export async function startAuthWorld({ ways, accounts: given, verify }: AuthWorldOptions): Promise<AuthWorld> {
  const accounts = new Map(Object.entries(given));
  const denied: DeniedClaim[] = [];
  const [issuer, nextIssuer, servers, clients] = [
    await createIssuer('ES256', 'k'),
    await createIssuer('ES256', 'k'),
    createAuthority('servers'),
    createAuthority('clients'),
  ];
  let verifying = issuer;
  const secret = new MountedSecret();
  const own = servers.issue();
  const mount = (cas: readonly Authority[]): Promise<void> =>
    secret.swap({ 'tls.crt': own.cert, 'tls.key': own.key, 'ca.crt': cas.map(({ cert }) => cert).join('') });
  await mount([clients]);
  const world = await startServedWorld(manyStreams, {}, undefined, async (edges) => {
    const files = { cert: secret.path('tls.crt'), key: secret.path('tls.key'), clientCa: secret.path('ca.crt') };
    const certificate = await ServerCertificate.open(files, { ...edges, minVersion: 'TLSv1.3' });
    onTestFinished(() => certificate.stop());
    const { createKeySetVerifier, readKeySet } = await loadKeySetVerifier();
    const byKeys = createKeySetVerifier(() => readKeySet(JSON.stringify({ keys: [verifying.jwk] })), {
      issuer: 'kube',
      audience,
      clock: edges.clock,
    });
    return {
      tls: { certificate, plaintext: true },
      auth:
        ways.length === 0
          ? undefined
          : {
              tokens: ways.includes('token') ? { verify: verify ?? byKeys, audience } : undefined,
              certificates: ways.includes('mtls') ? { trustDomain: 'cluster.local' } : undefined,
              bindings: {
                accountsOf: (gateway) => (accounts.has(gateway) ? new Set(accounts.get(gateway)) : undefined),
                gatewaysOf: ({ namespace, name }) => gatewaysOf(accounts, namespace, name),
              },
              denied: (claim) => denied.push(claim),
            },
    };
  });
  world.commit((edit) => {
    for (const gateway of accounts.keys()) {
      edit.gateway(gateway);
      edit.config(gateway, gateway.replace('/', '-'));
    }
  });
  return {
    world,
    issuer,
    clients,
    serverCa: servers.cert,
    accounts,
    denied,
    token: (account, claims) => signToken(issuer, account, world.clock.now(), claims),
    channel: (client) =>
      client === undefined
        ? credentials.createSsl(Buffer.from(servers.cert))
        : credentials.createSsl(Buffer.from(servers.cert), Buffer.from(client.key), Buffer.from(client.cert)),
    withdrawKey() {
      verifying = nextIssuer;
    },
    async trust(...cas) {
      const seen = world.log.lines.length;
      await mount(cas);
      while (!world.log.lines.slice(seen).some(({ message }) => message.includes('TLS certificate'))) {
        world.clock.advance(1_000);
        for (let left = 200; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

/** Signs a token that is good for an hour, unless the claims say otherwise. */
function signToken(issuer: Issuer, account: string, now: number, claims: JWTPayload = {}): Promise<string> {
  const [namespace, name] = account.split('/');
  const exp = Math.floor(now / 1_000) + 3_600;
  return issuer.sign({ iss: 'kube', aud: audience, exp, sub: `system:serviceaccount:${namespace}:${name}`, ...claims });
}

/** What a stream got: the name of the Config that it was served, or the status of its end. */
export async function fateOf(
  client: AdsClient,
  {
    node,
    headers,
    authority,
  }: {
    readonly node?: Readonly<Record<string, unknown>>;
    readonly headers?: Readonly<Record<string, string>>;
    readonly authority?: string;
  },
): Promise<{ readonly served: readonly string[] } | { readonly code: string; readonly message: string }> {
  const options = { ...(headers && { headers }), ...(authority !== undefined && { authority }) };
  const stream = client.open(options).request(configType, { node: { id: 'forged', metadata: node ?? {} } });
  const result = await Promise.race([
    stream.next().then(
      ({ names }) => ({ served: names }),
      () => stream.ended(),
    ),
    stream.ended(),
  ]);
  stream.cancel();
  return result;
}
