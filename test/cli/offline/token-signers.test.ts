import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { signerObjections } from '../../../src/cli/offline/token.ts';
import type { TokenSigners } from '../../../src/explain/model.ts';
import { DeltaDiscoveryResponse } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import type { EncodedResource } from '../../../src/wire/model.ts';
import { agentgateway } from '../../../src/wire/wire.ts';
import { AgentgatewayDataPlane } from '../../support/agentgateway/data-plane.ts';
import { guideJwk, guideToken } from '../../support/processes/guide.ts';
import { openGateway, together } from '../../support/worlds/manifests.ts';
import { explain, world } from './explain-rig.ts';

/** @param providers the YAML of `spec.jwt.providers` */
const signedWorld = (providers: string): string =>
  together(
    world,
    `
apiVersion: gateway.kgateway.dev/v1alpha1
kind: MCPAuthPolicy
metadata: { name: signers }
spec: { targetRefs: [{ name: gw }], jwt: { providers: ${providers} } }
`,
  );
const guideProvider = (issuer: string, audience: string, kid: string = guideJwk.kid): string =>
  `{ issuer: ${issuer}, audiences: [${audience}], jwks: { inline: '${JSON.stringify({ ...guideJwk, kid })}' } }`;

async function notesOf(manifests: string, ...flags: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await explain(manifests, '--tool=default/tool:run', `--token=${guideToken}`, ...flags);
  return stdout.split('\n').filter((line) => line.startsWith('note: '));
}

const unverified = 'note: The signature was not verified: a gateway does that, and checks issuer and audience.';

describe('explain --token says what agentgateway nodes of the Gateway would object to', () => {
  it('nothing where a provider has issuer, audience and key', async () => {
    expect(await notesOf(signedWorld(`[${guideProvider('me', 'me.com')}]`))).toEqual([unverified]);
  });

  it.each([
    ['an issuer of no provider', guideProvider('you', 'me.com'), /iss\) is "me", and spec\.jwt has "you" for this key/],
    ['another audience', guideProvider('me', 'you.com'), /aud\) is "me\.com", and spec\.jwt has "you\.com"/],
    ['an unknown key', guideProvider('me', 'me.com', 'other'), /kid\) is "XhO06.*", and spec\.jwt has "other"/],
  ])('%s', async (_, provider, message) => {
    expect((await notesOf(signedWorld(`[${provider}]`))).slice(1)).toEqual([
      expect.stringMatching(/agentgateway nodes answer 401\. (Write|Get) /),
    ]);
    expect(await notesOf(signedWorld(`[${provider}]`))).toContainEqual(expect.stringMatching(message));
  });

  it('that nobody may sign', async () => {
    expect((await notesOf(world)).slice(1)).toEqual([
      'note: No policy has spec.jwt, so agentgateway nodes of the Gateway authenticate nobody. Gateways that have the keys in their own configuration need none. Write spec.jwt, with its issuers and their keys, in one policy of the Gateway.',
    ]);
    expect((await notesOf(openGateway)).slice(1)).toEqual([expect.stringContaining('No policy names the Gateway, so')]);
    const empty = '{ issuer: me, audiences: [me.com], jwks: { inline: \'{"keys":[]}\' } }';
    expect(await notesOf(signedWorld(`[${empty}]`))).toContainEqual(
      expect.stringMatching(/cannot be used, so .* The status of the policy says what is wrong/),
    );
  });

  it('that keys at a URI are not fetched here, but by a control plane', async () => {
    const published = '{ issuer: me, audiences: [me.com], jwks: { uri: "https://issuer.example/jwks" } }';
    expect(await notesOf(signedWorld(`[${published}]`))).toContainEqual(
      expect.stringMatching(
        /not fetched yet from https:.*\. explain fetches no keys: ask a control plane, .* --server\.$/,
      ),
    );
  });
});

const name = fc.constantFrom('a', 'b', 'c');
const provider = fc.record({
  issuer: name,
  audiences: fc.uniqueArray(name, { maxLength: 2 }),
  keyIds: fc.uniqueArray(name, { minLength: 1, maxLength: 2 }),
});
const odd = fc.oneof(name, fc.array(name, { maxLength: 2 }), fc.constantFrom(5, null, ['a', 5], { a: 'a' }));
const token = fc.record({
  claims: fc.record({ iss: odd, aud: odd }, { requiredKeys: [] }).map((claims) => ({ ...claims, sub: 'me' })),
  keyId: fc.constantFrom<string | undefined>('a', 'b', 'c', 'd', undefined),
});
type Token = typeof token extends fc.Arbitrary<infer T> ? T : never;

/** Whether the data plane takes a token: its answer to a call of a target that does not exist. */
function isTaken({ claims, keyId = '' }: Token, signers: TokenSigners): boolean {
  const dataPlane = new AgentgatewayDataPlane();
  const providers = signers.providers.map(({ issuer, audiences, keyIds }) => ({
    issuer,
    audiences,
    keys: keyIds.map((kid) => ({ kid, json: JSON.stringify({ kid }) })),
  }));
  const listeners = [{ name: 'mcp', port: 8080 }];
  const gateway = agentgateway.encodeGateway({ key: 'default/gw', scope: 'all', listeners, providers });
  const resources = [...gateway, agentgateway.encodeMcpBackend('all', [])].map((resource) => ({
    name: resource.name,
    value: messageOf(resource),
  }));
  dataPlane.apply(resources, []);
  const call = { port: 8080, target: 'b.a', kind: 'tool', name: 'x', token: { kid: keyId, claims } } as const;
  return dataPlane.call(call) !== 'unauthenticated';
}

function messageOf({ deltaField }: EncodedResource): Uint8Array {
  return DeltaDiscoveryResponse.decode(deltaField).resources[0]?.resource?.value ?? new Uint8Array();
}

it('there is an objection to a token exactly when agentgateway does not take it', () => {
  let taken = 0;
  // The translation gives each key id to one provider.
  const signers = fc
    .uniqueArray(provider, { minLength: 1, maxLength: 3, selector: ({ keyIds }) => keyIds[0] })
    .map((providers): TokenSigners => {
      const seen = new Set<string>();
      const own = (keyId: string): boolean => !seen.has(keyId) && seen.add(keyId).has(keyId);
      return {
        providers: providers.map((one) => ({ ...one, keyIds: one.keyIds.filter(own) })),
        problem: undefined,
      };
    });
  fc.assert(
    fc.property(signers, token, (given, asked) => {
      const accepted = isTaken(asked, given);
      if (accepted) taken += 1;
      expect(signerObjections(asked, given).length === 0).toBe(accepted);
    }),
    { numRuns: 2_000 },
  );
  expect(taken).toBeGreaterThan(50);
});
