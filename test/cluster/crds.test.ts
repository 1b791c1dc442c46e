import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { samples } from '../resources/samples.ts';
import { type KubeApiServer, kubeAssets, startKubeApiServer } from '../support/cluster/kube-apiserver.ts';
import { polled } from '../support/cluster/poll.ts';
import type { ClusterAnswer } from '../support/cluster/requests.ts';
import type { Manifest } from '../support/worlds/translated-world.ts';
import { askServer, decoderRefusals } from './crd-doors.ts';
import { mutations } from './crd-mutations.ts';
import { crdRows } from './crd-rows.ts';

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

let cluster: KubeApiServer;

describe.skipIf(kubeAssets() === undefined)('our CRDs in a real API server', () => {
  beforeAll(async () => {
    cluster = await startKubeApiServer();
    await cluster.installOwnCrds();
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  describe('and the decoders', agree);
  describe('in themselves', standAlone);
});

function agree(): void {
  it.each(crdRows)('agree that it is $verdict: $title', async ({ object, verdict }) => {
    const [refusals, answer] = [decoderRefusals(object), await askServer(cluster, object)];
    const doors = { decoder: refusals.length === 0, server: answer.taken };
    expect(doors, [...refusals, ...(answer.taken ? [] : [answer.message])].join('\n')).toEqual({
      decoder: verdict === 'taken',
      server: verdict !== 'refused',
    });
  });

  it('agree about every object that differs from a good one in one value', async () => {
    const objects = [sample('MCPAuthPolicy'), sample('GatewayParameters')].flatMap(mutations);
    const differences: string[] = [];
    for (const object of objects) {
      const answer = await askServer(cluster, object);
      const refusals = decoderRefusals(object).filter((message) => !isAboutWhatServersDrop(message));
      if (answer.taken !== (refusals.length === 0))
        differences.push(`${JSON.stringify(object['spec'])}: ${answer.taken ? refusals[0] : answer.message}`);
    }
    expect(objects.length).toBeGreaterThan(500);
    expect(differences).toEqual([]);
  });
}

function standAlone(): void {
  it.each(crdRows.filter(({ title }) => title.includes('unknown field')))(
    'refuse $title when they are asked strictly, as kubectl asks',
    async ({ object }) => {
      expect(await askServer(cluster, object, 'Strict')).toMatchObject({ taken: false });
    },
  );

  it('let nothing through that is not understood afterwards', async () => {
    const doubtful = crdRows.filter(
      ({ verdict, title }) =>
        (verdict === 'taken' || verdict === 'refused by the decoder alone') && !title.includes('another controller'),
    );
    for (const { object, title } of doubtful) {
      const answer = await askServer(cluster, object);
      if (!answer.taken) throw new Error(answer.message);
      expect(decoderRefusals(answer.stored), title).toEqual([]);
    }
    expect(doubtful.length).toBeGreaterThan(30);
  });

  it('say in words what is wrong, and where', async () => {
    const targetRefs = [{ name: 'g', namespace: 'n' }];
    const matches = [
      { type: 'OIDC' },
      { type: 'JWT' },
      { type: 'jwt', jwt: { claim: 'a', value: 'b' }, serviceAccount: { name: 'r' } },
    ];
    const rules = [{ matches, resource: { kind: 'toolbox', name: 'convert' } }];
    const answer = await askServer(cluster, { ...sample('MCPAuthPolicy'), spec: { targetRefs, rules } });
    // The API server tells them in any order.
    const told = answer.taken ? [] : answer.message.split(/(?<=.), (?=spec\.)|(?<=is invalid: \[)|\]$/).slice(1, -1);
    expect(told.sort()).toEqual([
      'spec.rules[0].matches[0].type: Invalid value: "OIDC": write JWT or ServiceAccount',
      'spec.rules[0].matches[1].jwt: Required value: type JWT needs it',
      'spec.rules[0].matches[2].serviceAccount: Forbidden: it does not go with type JWT: remove it, or write it as a match of its own',
      'spec.rules[0].resource.kind: Invalid value: "toolbox": write tool, prompt or resource',
      'spec.rules[0].resource.name: Invalid value: "convert": write "*", or "<target>:<name>" without "*" in the target',
      'spec.targetRefs[0].namespace: Forbidden: a policy names a Gateway of its own namespace: remove it',
    ]);
  });

  it('cost less than a tenth of what an API server allows for rules', async () => {
    const withRules = (most: number): Promise<ClusterAnswer> => {
      const path = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/rules/maxItems';
      return cluster.request(`${definitions}/mcpauthpolicies.gateway.kgateway.dev?dryRun=All`, {
        method: 'PATCH',
        type: 'application/json-patch+json',
        body: [{ op: 'replace', path, value: most }],
      });
    };
    expect(await withRules(10 * 256)).toMatchObject({ status: 200 });
    expect(await withRules(100 * 256)).toMatchObject({ status: 422, text: expect.stringContaining('exceeds budget') });
  });

  it('are explained by kubectl, field by field', async () => {
    const explained = async (field: string): Promise<string> => {
      const text = await polled(
        // The API server publishes the schema of a new kind a moment after it serves the kind.
        async () => (await cluster.kubectl.try(['explain', field])).stdout || undefined,
        () => `kubectl explains nothing about ${field}.`,
      );
      // kubectl wraps lines.
      return text.replaceAll(/\s+/g, ' ');
    };
    expect(await explained('mcpauthpolicy.spec.rules')).toContain('Without a rule, the policy allows nothing.');
    expect(await explained('mcpauth.spec.rules.matches.jwt.claim')).toContain('The name of a claim');
    expect(await explained('gwp.spec')).toContain('Exactly one of `kube` and `selfManaged`');
  });
}

function sample(kind: 'MCPAuthPolicy' | 'GatewayParameters'): Manifest {
  return { ...samples[kind], kind, metadata: { name: 'it', namespace: 'default' } };
}

/** Unknown fields: the decoders name them, and an API server drops them before it looks. `kube` is another controller's. */
function isAboutWhatServersDrop(message: string): boolean {
  return message.includes('is not a known field');
}
