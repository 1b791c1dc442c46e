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
    expect(wanted()).toEqual([uri]);
    world.apply(gateway('gw', { from: 'All' }), signing('alpha', { inline: inline('a') }));
    expect(wanted()).toEqual([]);
    world.apply(signing('alpha', { uri }));
    expect(wanted()).toEqual([uri]);
    world.remove('Gateway', 'default/gw');
    expect(wanted()).toEqual([]);
  });

  it('are joined with the policy, and later ones replace them', () => {
    const world = worldOf(signing('alpha', { uri }));
    expect(issuers(world)).toEqual([]);
    answer(world, keys('a'));
    expect(world.translation.jwtProviders.get('default/gw')).toEqual([
      { issuer: 'alpha', audiences: ['me.com'], jwks: `{"keys":[${inline('a')}]}` },
    ]);
    answer(world, keys('b', 'c'));
    expect(world.translation.jwtProviders.get('default/gw')?.[0]?.jwks).toBe(
      `{"keys":[${inline('b')},${inline('c')}]}`,
    );
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
    expect(world.translation.jwtProviders.get('default/gw')?.map(({ issuer, jwks }) => [issuer, jwks])).toEqual([
      ['alpha', `{"keys":[${inline('a')}]}`],
      ['late', `{"keys":[${inline('b')}]}`],
    ]);
  });
});

/** Who may do what at the Gateway: each signer with each audience and each key, and each rule. */
function access(world: TranslatedWorld): readonly string[] {
  const providers = world.translation.jwtProviders.get('default/gw') ?? [];
  const signers = providers.flatMap(({ issuer, audiences, jwks }) =>
    (audiences.length === 0 ? ['any'] : audiences).map((audience) => `${issuer} ${audience} ${jwks}`),
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
