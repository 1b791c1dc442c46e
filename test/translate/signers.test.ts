import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FetchedKeys } from '../../src/resources/model.ts';
import { corrupted, misspelt, nonsense } from '../resources/garbage.ts';
import { createTranslatedWorld, type Manifest, type TranslatedWorld } from '../support/worlds/translated-world.ts';
import { gateway, gatewayClass, policy } from './manifests.ts';

const uri = 'https://issuer.example/jwks';
const inline = (kid: string): string =>
  `{"kty":"OKP","kid":"${kid}","alg":"EdDSA","crv":"Ed25519","x":"d_t7nAu2sG2EB2emi8kwd1nNk-ytjjciz6GJrz1o_HE"}`;
const keys = (...kids: readonly string[]): Extract<FetchedKeys, { kind: 'keys' }> => ({
  kind: 'keys',
  keys: kids.map((kid) => ({ kid, json: inline(kid) })),
  dropped: [],
  failure: undefined,
});

/** A policy that says that an issuer of its name may sign, and allows `me` to use everything. */
function signing(
  name: string,
  jwks: unknown,
  fields: { created?: string | undefined; gateway?: string } = {},
): Manifest {
  const plain = policy(name, { gateway: fields.gateway ?? 'gw', tool: '*', subject: name });
  const spec = { ...Object(plain['spec']), jwt: { providers: [{ issuer: name, audiences: ['me.com'], jwks }] } };
  return { ...plain, metadata: { name, creationTimestamp: fields.created }, spec };
}

function worldOf(...manifests: readonly Manifest[]): TranslatedWorld {
  const world = createTranslatedWorld();
  world.apply(gatewayClass, gateway('gw', { from: 'All' }), ...manifests);
  return world;
}

const issuers = ({ translation }: TranslatedWorld, key = 'default/gw'): readonly string[] | undefined =>
  translation.jwtProviders.get(key)?.map(({ issuer }) => issuer);
const configs = ({ translation }: TranslatedWorld): readonly string[] =>
  [...translation.attachments.entries()].map(([, { policy: name }]) => name).sort();
const answer = (world: TranslatedWorld, value: FetchedKeys): ReturnType<TranslatedWorld['graph']['commit']> =>
  world.graph.commit(() => world.inputs.fetchedKeys.set(uri, value));

describe('the policy whose signers count', () => {
  const [old, young] = ['2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z'];

  it.each<[string, string | undefined, string | undefined, string]>([
    ['is the older one', young, old, 'beta'],
    ['is the first by name of equally old ones', old, old, 'alpha'],
    ['is the first by name when no age is known', undefined, undefined, 'alpha'],
    ['is the one of known age', undefined, young, 'beta'],
  ])('%s, whatever the order of arrival', (_which, ofAlpha, ofBeta, winner) => {
    const [alpha, beta] = [
      signing('alpha', { inline: inline('a') }, { created: ofAlpha }),
      signing('beta', { inline: inline('b') }, { created: ofBeta }),
    ];
    for (const world of [worldOf(alpha, beta), worldOf(beta, alpha)]) {
      expect(issuers(world)).toEqual([winner]);
      expect(configs(world)).toEqual([`default/${winner}`]);
    }
  });

  it('gives way when it is deleted, and the other policy counts as a whole', () => {
    const world = worldOf(signing('alpha', { inline: inline('a') }), signing('beta', { inline: inline('b') }));
    world.remove('MCPAuthPolicy', 'default/alpha');
    expect(issuers(world)).toEqual(['beta']);
    expect(configs(world)).toEqual(['default/beta']);
    const conditions = world.translation.policyStatuses.get('default/beta')?.ancestors[0]?.conditions;
    expect(conditions).toMatchObject([{ type: 'Accepted', status: 'True' }]);
  });

  it('does not matter to a policy without spec.jwt', () => {
    const world = worldOf(signing('alpha', { inline: inline('a') }));
    world.apply(policy('plain', { gateway: 'gw', tool: '*', subject: 'you' }));
    expect(configs(world)).toEqual(['default/alpha', 'default/plain']);
  });
});

describe('keys that are published', () => {
  it('are wanted as long as a served Gateway needs them', () => {
    const world = worldOf(signing('alpha', { uri }));
    const wanted = (): readonly string[] => [...world.translation.jwksUris.entries()].map(([key]) => key);
    expect(wanted()).toEqual([`default ${uri}`]);
    world.apply(gateway('gw', { from: 'All' }), signing('alpha', { inline: inline('a') }));
    expect(wanted()).toEqual([]);
    world.apply(signing('alpha', { uri }));
    expect(wanted()).toEqual([`default ${uri}`]);
    world.remove('Gateway', 'default/gw');
    expect(wanted()).toEqual([]);
  });

  it('are joined with the policy, and later ones replace them', () => {
    const world = worldOf(signing('alpha', { uri }));
    expect(issuers(world)).toEqual([]);
    answer(world, keys('a'));
    expect(world.translation.jwtProviders.get('default/gw')).toEqual([
      { issuer: 'alpha', audiences: ['me.com'], keys: keys('a').keys },
    ]);
    answer(world, keys('b', 'c'));
    expect(world.translation.jwtProviders.get('default/gw')?.[0]?.keys).toEqual(keys('b', 'c').keys);
    answer(world, keys());
    expect(issuers(world)).toEqual([]);
  });

  it('cost nothing but the Gateways that use them', () => {
    const world = worldOf(signing('alpha', { uri }), policy('plain', { gateway: 'gw', tool: '*', subject: 'you' }));
    world.apply(gateway('other', { from: 'All' }), signing('beta', { inline: inline('b') }, { gateway: 'other' }));
    answer(world, keys('a'));
    const commit = answer(world, keys('b'));
    const { jwtProviders, configs: ofPolicies, attachments, gateways, policyStatuses } = world.translation;
    expect(commit.changes(jwtProviders).map(({ key }) => key)).toEqual(['default/gw']);
    for (const unchanged of [ofPolicies, attachments, gateways, policyStatuses]) {
      expect(commit.changes<unknown>(unchanged)).toEqual([]);
    }
  });
});

describe('keys that cannot be fetched, or not all be used', () => {
  it('stay in use while later answers fail, which is a notice and changes nothing that is sent', () => {
    const world = worldOf(signing('alpha', { uri }));
    answer(world, keys('a'));
    const commit = answer(world, { ...keys('a'), failure: 'answered with status 500' });
    expect(commit.changes(world.translation.jwtProviders)).toEqual([]);
    expect(world.translation.keyNotices.get('default/alpha')?.failures).toEqual([
      'spec.jwt.providers[0].jwks.uri answered with status 500; the last good keys stay in use.',
    ]);
    answer(world, keys('a'));
    expect(world.translation.keyNotices.size).toBe(0);
  });

  it('that never arrived let nobody in, and the statuses say why', () => {
    const world = worldOf(signing('alpha', { uri }));
    answer(world, { kind: 'failed', failure: 'answered with status 404' });
    expect(issuers(world)).toEqual([]);
    const conditions = world.translation.policyStatuses.get('default/alpha')?.ancestors[0]?.conditions;
    expect(conditions?.map(({ type, reason }) => `${type} ${reason}`)).toEqual([
      'Accepted Accepted',
      'kgateway.dev/PartiallyInvalid SignersDropped',
    ]);
    expect(conditions?.[1]?.message).toContain('spec.jwt.providers[0].jwks.uri answered with status 404');
    const ofGateway = world.translation.gatewayStatuses.get('default/gw')?.conditions;
    expect(ofGateway).toContainEqual(
      expect.objectContaining({ type: 'kgateway.dev/JWTProvided', status: 'False', reason: 'NoUsableKey' }),
    );
  });

  it('that another provider of the policy has by the same id are left out', () => {
    const both = signing('alpha', { inline: inline('a') });
    const jwt = { providers: [...Object(both['spec']).jwt.providers, { issuer: 'late', jwks: { uri } }] };
    const world = worldOf({ ...both, spec: { ...Object(both['spec']), jwt } });
    answer(world, keys('a', 'b'));
    expect(world.translation.jwtProviders.get('default/gw')?.map(({ issuer, keys }) => [issuer, keys])).toEqual([
      ['alpha', keys('a').keys],
      ['late', keys('b').keys],
    ]);
  });
});

describe('the keys of many Gateways', () => {
  const inNamespace = (namespace: string, { metadata, ...rest }: Manifest): Manifest => ({
    ...rest,
    metadata: { ...Object(metadata), namespace },
  });
  const large = (count: number): FetchedKeys => ({
    ...keys(),
    keys: Array.from({ length: count }, (_, at) => ({ kid: `${at}`, json: 'x'.repeat(2 ** 20) })),
  });
  /** Gateways of one namespace that all have the keys of one issuer, and one of another namespace that has its own. */
  const worldWith = (gateways: number): TranslatedWorld => {
    const names = Array.from({ length: gateways }, (_, at) => `gw-${at}`);
    const world = worldOf(
      ...names.map((name) => gateway(name, { from: 'All' })),
      ...names.map((name) => signing(`of-${name}`, { uri }, { gateway: name })),
      inNamespace('modest', gateway('gw', { from: 'All' })),
      inNamespace('modest', signing('alpha', { inline: inline('a') })),
    );
    return world;
  };

  it('have room in all, beyond which nobody may sign at those of a namespace that has more than its part', () => {
    const world = worldWith(16);
    const trusting = (): number =>
      [...world.translation.jwtProviders.entries()].filter(([, all]) => all.length > 0).length;
    answer(world, large(1));
    expect(trusting(), '16 MiB and a few bytes').toBe(1);
    expect(issuers(world, 'modest/gw')).toEqual(['alpha']);
    const { gatewayStatuses, policyStatuses } = world.translation;
    expect(gatewayStatuses.get('default/gw-0')?.conditions).toContainEqual(
      expect.objectContaining({ type: 'kgateway.dev/JWTProvided', status: 'False', reason: 'NoUsableKey' }),
    );
    const [ancestor] = policyStatuses.get('default/of-gw-0')?.ancestors ?? [];
    expect(ancestor?.conditions.map(({ message }) => message).join()).toContain('have no room beside those of other');
    answer(world, keys('a'));
    expect(trusting()).toBe(17);
    answer(world, large(1));
    for (let at = 8; at < 16; at += 1) world.remove('Gateway', `default/gw-${at}`);
    expect(trusting(), 'half of it').toBe(9);
  });

  it('are one list for all of them', () => {
    const world = worldWith(3);
    answer(world, keys('a', 'b'));
    const lists = ['gw-0', 'gw-1', 'gw-2'].map(
      (name) => world.translation.jwtProviders.get(`default/${name}`)?.[0]?.keys,
    );
    expect(lists[0]).toHaveLength(2);
    expect(new Set(lists).size).toBe(1);
  });

  it('that are left out by the hundred are named up to twenty', () => {
    const plain = signing('alpha', { uri });
    const provider = (issuer: number): unknown => ({ issuer: `i${issuer}`, jwks: { uri } });
    const jwt = { providers: [0, 1, 2, 3].map(provider) };
    const world = worldOf({ ...plain, spec: { ...Object(plain['spec']), jwt } });
    answer(world, keys(...Array.from({ length: 100 }, (_, at) => `${at}`)));
    const notes = world.translation.policyStatuses.get('default/alpha')?.ancestors[0]?.conditions[1]?.message;
    expect(notes).toContain('And 284 further parts of spec.jwt are left out.');
  });
});

/** Who may do what at the Gateway: each signer with each audience and each key, and each rule. */
function access(world: TranslatedWorld): readonly string[] {
  const providers = world.translation.jwtProviders.get('default/gw') ?? [];
  const signers = providers.flatMap(({ issuer, audiences, keys }) =>
    (audiences.length === 0 ? ['any'] : audiences).map((audience) => `${issuer} ${audience} ${JSON.stringify(keys)}`),
  );
  return [...signers, ...configs(world)];
}

describe('a mistake in spec.jwt', () => {
  const good = signing('alpha', { inline: inline('a') });
  const other = signing('beta', { inline: inline('b') });
  const spec: Readonly<Record<string, unknown>> = Object(good['spec']);
  const withJwt = (jwt: unknown): Manifest => ({ ...good, spec: { ...spec, jwt } });
  const before = access(worldOf(good, other));

  const worse = fc.oneof(
    corrupted({ jwt: spec['jwt'] }, 'jwt', fc.oneof(nonsense, fc.constantFrom(null, '', {}))),
    misspelt({ jwt: spec['jwt'] }, 'jwt'),
  );

  it('never lets anybody in, neither by this policy nor by another one', () => {
    expect(before).toHaveLength(2);
    fc.assert(
      fc.property(worse, ({ jwt }) => {
        expect(before).toEqual(expect.arrayContaining([...access(worldOf(withJwt(jwt), other))]));
      }),
    );
  });

  it('in its name does not put the signers of another policy in force', () => {
    const { jwt, ...rest } = spec;
    const misnamed: Manifest = { ...good, spec: { ...rest, jtw: jwt } };
    expect(access(worldOf(misnamed, other))).toEqual([]);
  });

  it('beside it, in the rules, takes only these rules away', () => {
    for (const rules of ['all', 5, null, { matches: [] }]) {
      const world = worldOf({ ...good, spec: { ...spec, rules } }, other);
      expect([issuers(world), configs(world)]).toEqual([['alpha'], []]);
    }
  });
});
