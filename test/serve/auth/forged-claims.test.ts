import { expect, it } from 'vitest';
import type { Identity } from '../../support/api-server/kube-certificates.ts';
import { createAuthority } from '../../support/api-server/kube-certificates.ts';
import { createIssuer } from '../../support/gateway/issuer.ts';
import { type AuthWorld, fateOf, startAuthWorld } from '../../support/worlds/auth-world.ts';

/** Accounts by Gateway: the default (its own name), others by annotation, none, and one that has two. */
const accounts: Readonly<Record<string, readonly string[]>> = {
  'red/gw': ['gw'],
  'red/other': ['gw', 'second'],
  'red/closed': [],
  'blue/gw': ['gw'],
  'blue/gw.dots': ['gw.dots'],
};
const gateways = [...Object.keys(accounts), 'red/absent', 'green/gw'];

/** How a node may name a Gateway. */
type Naming = Parameters<typeof fateOf>[1];

/** Every way to name a Gateway, each with the Gateway that it names last. */
const namings: Readonly<Record<string, (namespace: string, name: string) => Naming>> = {
  'the role': (namespace, name) => ({ node: { role: `mcp-kgateway-kube-gateway-api~${namespace}~${name}` } }),
  'a role without prefix': (namespace, name) => ({ node: { role: `${namespace}~${name}` } }),
  'a host name in the metadata': (namespace, name) => ({ node: { alt_xds_hostname: `${name}.${namespace}.svc` } }),
  'a host name in a header': (namespace, name) => ({ headers: { 'x-alt-xds-hostname': `${name}.${namespace}` } }),
  'a header, and the role of another': (namespace, name) => ({
    headers: { 'x-alt-xds-hostname': `${name}.${namespace}` },
    node: { role: 'red~gw' },
  }),
  'the name in the metadata': (namespace, name) => ({ node: { NAMESPACE: namespace, GATEWAY_NAME: name } }),
  "agentgateway's role, and the names beside it": (namespace, name) => ({
    node: { role: `${namespace}~${name}`, NAMESPACE: namespace, GATEWAY_NAME: name },
  }),
  "agentgateway's role without its namespace": (namespace, name) => ({
    node: { role: `~${name}`, NAMESPACE: namespace, GATEWAY_NAME: name },
  }),
  "agentgateway's role, and the names of another": (namespace, name) => ({
    node: { role: `${namespace}~${name}`, NAMESPACE: 'red', GATEWAY_NAME: 'gw' },
  }),
  'the authority alone': (namespace, name) => ({ authority: `${name}.${namespace}.svc.cluster.local` }),
  'the namespace in metadata alone': (namespace, name) => ({ node: { NAMESPACE: namespace, NAME: name } }),
};

interface Proof {
  /** The account that is proven if this way of proof counts; undefined for a proof that is worth nothing. */
  readonly account: string | undefined;
  readonly by: 'token' | 'mtls' | 'nothing';
  readonly headers?: Readonly<Record<string, string>>;
  readonly certificate?: Identity;
}

async function tokenProofs(served: AuthWorld): Promise<Readonly<Record<string, Proof>>> {
  const { world, token } = served;
  const now = Math.floor(world.clock.now() / 1_000);
  const bearer = (text: string, account?: string): Proof => ({
    account,
    by: 'token',
    headers: { authorization: `Bearer ${text}`, clusterid: 'Kubernetes' },
  });
  const stranger = await createIssuer('ES256', 'k');
  const good = await token('red/gw');
  const [head = '', , signature = ''] = good.split('.');
  const forged = Buffer.from(JSON.stringify({ aud: 'gatehouse', exp: now + 60, sub: 'system:serviceaccount:blue:gw' }));
  const sub = 'system:serviceaccount:red:gw';
  return {
    nothing: { account: undefined, by: 'nothing' },
    'a token of red/gw': bearer(good, 'red/gw'),
    'a token of red/second': bearer(await token('red/second'), 'red/second'),
    'a token of blue/gw': bearer(await token('blue/gw'), 'blue/gw'),
    'a token of blue/gw.dots': bearer(await token('blue/gw.dots'), 'blue/gw.dots'),
    'a token of an account without a Gateway': bearer(await token('green/gw'), 'green/gw'),
    'an expired token': bearer(await token('red/gw', { exp: now - 1 })),
    'a token for others': bearer(await token('red/gw', { aud: 'vault' })),
    'a token of a person': bearer(await token('red/gw', { sub: 'admin' })),
    'a token without end': bearer(await served.issuer.sign({ iss: 'kube', aud: 'gatehouse', sub })),
    'a token of another issuer': bearer(await token('red/gw', { iss: 'other' })),
    'a token of a stranger': bearer(await stranger.sign({ iss: 'kube', aud: 'gatehouse', exp: now + 60, sub })),
    'a token with other claims': bearer([head, forged.toString('base64url'), signature].join('.')),
    'a token without a signature': bearer(`${good.slice(0, good.lastIndexOf('.'))}.`),
    'a token and more': bearer(`${good} ${good}`),
    'a token that is no token': bearer('x'),
    'an empty token': bearer(''),
    'a basic password': { account: undefined, by: 'token', headers: { authorization: 'Basic cmVkOmd3' } },
  };
}

function certificateProofs({ clients }: AuthWorld): Readonly<Record<string, Proof>> {
  const certified = (uris: readonly string[], account?: string, from = clients): Proof => ({
    account,
    by: 'mtls',
    certificate: from.issue({ names: [], uris, usage: 'clientAuth' }),
  });
  return {
    'a certificate of red/gw': certified(['spiffe://cluster.local/ns/red/sa/gw'], 'red/gw'),
    'a certificate of blue/gw': certified(['spiffe://cluster.local/ns/blue/sa/gw'], 'blue/gw'),
    'a certificate of another domain': certified(['spiffe://other/ns/red/sa/gw']),
    'a certificate with two names': certified([
      'spiffe://cluster.local/ns/red/sa/gw',
      'spiffe://cluster.local/ns/blue/sa/gw',
    ]),
    'a certificate with an escape': certified(['spiffe://cluster.local/ns/red/sa/g%77']),
    'a certificate with a longer path': certified(['spiffe://cluster.local/ns/red/sa/gw/x']),
    'a certificate of another authority': certified(
      ['spiffe://cluster.local/ns/red/sa/gw'],
      undefined,
      createAuthority('clients'),
    ),
    'a certificate for servers': {
      account: undefined,
      by: 'mtls',
      certificate: clients.issue({ names: [], uris: ['spiffe://cluster.local/ns/red/sa/gw'], usage: 'serverAuth' }),
    },
    'a certificate that has expired': {
      account: undefined,
      by: 'mtls',
      certificate: clients.issue({
        names: [],
        uris: ['spiffe://cluster.local/ns/red/sa/gw'],
        until: new Date('2021-01-01T00:00:00Z'),
      }),
    },
    'a certificate with a DNS name': {
      account: 'red/gw',
      by: 'mtls',
      certificate: clients.issue({ names: ['gw.red'] }),
    },
  };
}

/** The one Gateway of which an account may be a node without naming it. */
function onlyGatewayOf(account: string): string | undefined {
  const [namespace, name = ''] = account.split('/');
  const own = Object.entries(accounts).filter(
    ([gateway, names]) => gateway.startsWith(`${namespace}/`) && names.includes(name),
  );
  return own.length === 1 ? own[0]?.[0] : undefined;
}

/** What must be served: written from the rules, not from the code. */
function expected(account: string | undefined, naming: string, namespace: string, name: string): string | undefined {
  if (account === undefined) return undefined;
  const named = !['the authority alone', 'the namespace in metadata alone'].includes(naming);
  if (!named) return onlyGatewayOf(account);
  const allowed = accounts[`${namespace}/${name}`] ?? [];
  const [own, self = ''] = account.split('/');
  return own === namespace && allowed.includes(self) ? `${namespace}/${name}` : undefined;
}

it('I2 without --xds-auth a node is served what it names, whatever it proves, and never anything else', async () => {
  const served = await startAuthWorld({ ways: [], accounts });
  const wrong: object[] = [];
  const all = { ...(await tokenProofs(served)), ...certificateProofs(served) };
  for (const [proof, { headers, certificate }] of Object.entries(all)) {
    const client = served.world.client(certificate && served.channel(certificate));
    const decide = async (gateway: string, naming: string, claimOf: (typeof namings)[string]): Promise<void> => {
      const [namespace = '', name = ''] = gateway.split('/');
      const claim = claimOf(namespace, name);
      const fate = await fateOf(client, { ...claim, headers: { ...claim.headers, ...headers } });
      const named = naming !== 'the namespace in metadata alone' && accounts[gateway] !== undefined;
      const want = named ? `default.${gateway.replace('/', '-')}` : '';
      const got = 'served' in fate ? fate.served.join() : '';
      if (got !== want) wrong.push({ proof, naming, gateway, want, fate });
    };
    await Promise.all(
      gateways.flatMap((gateway) => Object.entries(namings).map(([naming, of]) => decide(gateway, naming, of))),
    );
    // The server admits 2,000 streams a second.
    served.world.clock.advance(1_000);
    client.close();
  }
  expect(wrong).toEqual([]);
});

it.each([[['token']], [['mtls']], [['token', 'mtls']]] as const)(
  'I2 no identity is served a Gateway that is not its own, whatever it claims, with --xds-auth=%j',
  async (ways) => {
    const served = await startAuthWorld({ ways, accounts });
    const wrong: object[] = [];
    let granted = 0;
    const all = { ...(await tokenProofs(served)), ...certificateProofs(served) };
    for (const [proof, { account, by, headers, certificate }] of Object.entries(all)) {
      const counts = by !== 'nothing' && ([...ways] as readonly string[]).includes(by);
      const client = served.world.client(certificate && served.channel(certificate));
      const decide = async (gateway: string, naming: string, claimOf: (typeof namings)[string]): Promise<void> => {
        const [namespace = '', name = ''] = gateway.split('/');
        const claim = claimOf(namespace, name);
        const fate = await fateOf(client, { ...claim, headers: { ...claim.headers, ...headers } });
        const want = expected(counts ? account : undefined, naming, namespace, name);
        const got = 'served' in fate ? fate.served.join() : undefined;
        if (want !== undefined) granted += 1;
        if (got !== (want && `default.${want.replace('/', '-')}`)) wrong.push({ proof, naming, gateway, want, fate });
      };
      const cases = gateways.flatMap((gateway) =>
        Object.entries(namings).map(([naming, of]) => decide(gateway, naming, of)),
      );
      await Promise.all(cases);
      // The server admits 2,000 streams a second.
      served.world.clock.advance(1_000);
      client.close();
    }
    expect(wrong).toEqual([]);
    expect(granted).toBeGreaterThan(0);
  },
);
