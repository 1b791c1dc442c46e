import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubeAssets } from '../support/cluster/kube-apiserver.ts';
import { polled } from '../support/cluster/poll.ts';
import { type ClusterWorld, heldBy, type Replica, startClusterWorld } from '../support/cluster/world.ts';
import type { NodeClaims } from '../support/nodes/gateway-node.ts';
import { mcpClass, mcpGateway, policy, together } from '../support/worlds/manifests.ts';

const rights = `
apiVersion: v1
kind: Namespace
metadata: { name: red }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: gw, namespace: default }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: other, namespace: default }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: reviewer }
rules:
- apiGroups: [authentication.k8s.io]
  resources: [tokenreviews]
  verbs: [create]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: reviewer }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reviewer }
subjects: [{ kind: ServiceAccount, name: gatehouse, namespace: kgateway-system }]
`;

const gateway = 'default/gw';

let world: ClusterWorld;
let replica: Replica;

/** A token from the TokenRequest API. */
async function token(account: string, spec: object = {}): Promise<string> {
  const { status, json, text } = await world.api.request(
    `/api/v1/namespaces/default/serviceaccounts/${account}/token`,
    {
      method: 'POST',
      body: { spec: { audiences: ['gatehouse'], expirationSeconds: 86_400, ...spec } },
    },
  );
  if (status !== 201) throw new Error(text);
  return (json as { readonly status: { readonly token: string } }).status.token;
}

const claims = (bearer: string, metadata: object = { role: 'default~gw' }): NodeClaims => ({
  // As agentgateway sends it: with the id of its cluster.
  headers: { authorization: `Bearer ${bearer}`, clusterid: 'Kubernetes' },
  node: { id: 'n', metadata: { ...metadata } },
});
const ended = (bearer: string, metadata?: object): Promise<object> =>
  replica.node(gateway, claims(bearer, metadata)).ended();

function acceptance(): void {
  it('of the account that its Gateway names is served, also without naming it', async () => {
    const own = await token('gw');
    await heldBy(replica.node(gateway, claims(own)), ({ configs }) => 'default.p' in configs);
    await heldBy(replica.node(gateway, claims(own, {})), ({ configs }) => 'default.p' in configs);
    const { body } = await replica.get('debug', '/snapshots/xds');
    expect(body).not.toContain(own.slice(-30));
  });

  it('for another audience, for the API server itself, or without a signature is refused', async () => {
    expect(await ended(await token('gw', { audiences: ['vault'] }))).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await ended(await token('gw', { audiences: [] }))).toMatchObject({ code: 'UNAUTHENTICATED' });
    const [head, payload] = (await token('gw')).split('.');
    expect(await ended(`${head}.${payload}.AAAA`)).toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining('the token is not accepted'),
    });
  });

  it('of an account that is deleted is refused, as one that is bound to a deleted object', async () => {
    await world.apply('apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: brief, namespace: default }');
    await world.apply('apiVersion: v1\nkind: Secret\nmetadata: { name: bound, namespace: default }');
    const brief = await token('brief');
    const { json } = await world.api.request('/api/v1/namespaces/default/secrets/bound');
    const { uid } = (json as { readonly metadata: { readonly uid: string } }).metadata;
    const bound = await token('gw', { boundObjectRef: { kind: 'Secret', apiVersion: 'v1', name: 'bound', uid } });
    await world.api.kubectl(['delete', 'serviceaccount', 'brief']);
    await world.api.kubectl(['delete', 'secret', 'bound']);
    // The API server itself remembers tokens for ten seconds.
    for (const gone of [brief, bound]) expect(await ended(gone)).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('of another account is told why, and the Gateway has an Event', async () => {
    expect(await ended(await token('other'))).toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining('default/other may not be a node of Gateway default/gw'),
    });
    expect(await ended(await token('gw'), { role: 'red~gw' })).toMatchObject({ code: 'PERMISSION_DENIED' });
    const event = await polled(
      async () => {
        const { text } = await world.api.request('/apis/events.k8s.io/v1/namespaces/default/events');
        return text.includes('NodeDenied') ? text : undefined;
      },
      () => 'no Event',
    );
    expect(event).toContain('default/other may not be a node of Gateway default/gw');
  });
}

/** Seconds since the epoch. */
const now = (): number => Math.floor(Date.now() / 1_000);

/** Tokens of the API server's own key: it issues none that lives shorter than ten minutes. */
function expiry(): void {
  it('is refused in words, also within the minute that the API server grants', async () => {
    const own = await token('gw');
    for (const seconds of [3_600, 30]) {
      const expired = world.api.signedAgain(own, { iat: now() - 7_200, nbf: now() - 7_200, exp: now() - seconds });
      expect(await ended(expired)).toMatchObject({
        code: 'UNAUTHENTICATED',
        message: expect.stringContaining('the token has expired'),
      });
    }
    // It counts with another end: nothing else about these tokens is wrong.
    await heldBy(
      replica.node(gateway, claims(world.api.signedAgain(own, {}))),
      ({ configs }) => 'default.p' in configs,
    );
  });

  it('loses its stream at that moment, and is not served again by it', async () => {
    // By the clock of the replica, which is a fast one: two seconds.
    const { body } = await replica.get('debug', '/debug/status');
    const { time }: { readonly time: string } = JSON.parse(body);
    const exp = Math.ceil(Date.parse(time) / 1_000) + 20;
    const brief = world.api.signedAgain(await token('gw'), { exp });
    const node = replica.node(gateway, claims(brief));
    await heldBy(node, ({ configs }) => 'default.p' in configs);
    expect(await node.ended()).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await ended(brief)).toMatchObject({ code: 'UNAUTHENTICATED' });
  });
}

function changes(): void {
  it('loses its stream when the annotation names another account, and has it again afterwards', async () => {
    const own = await token('gw');
    const node = replica.node(gateway, claims(own));
    await heldBy(node, ({ configs }) => 'default.p' in configs);
    const annotate = (value: string): Promise<unknown> =>
      world.api.kubectl(['annotate', '--overwrite', 'gateway', 'gw', `kgateway.dev/service-account${value}`]);
    await annotate('=other,else');
    expect(await node.ended()).toMatchObject({ code: 'PERMISSION_DENIED' });
    await heldBy(replica.node(gateway, claims(await token('other'))), ({ configs }) => 'default.p' in configs);
    await annotate('-');
    await polled(
      async () => {
        const again = replica.node(gateway, claims(own));
        return Promise.race([
          again.settled().then(
            () => true,
            () => undefined,
          ),
          again.ended().then(() => undefined),
        ]);
      },
      () => 'it is never served again',
    );
  });

  it('goes on while the API server does not answer, and one that is not known has to come back', async () => {
    const [own, unknown] = [await token('gw'), await token('gw', { expirationSeconds: 7_200 })];
    await heldBy(replica.node(gateway, claims(own)), ({ configs }) => 'default.p' in configs);
    world.api.suspendApiServer(true);
    try {
      await heldBy(replica.node(gateway, claims(own)), ({ configs }) => 'default.p' in configs);
      expect(await ended(unknown)).toMatchObject({ code: 'UNAVAILABLE' });
    } finally {
      world.api.suspendApiServer(false);
    }
  });
}

describe.skipIf(kubeAssets() === undefined)('a node with a token of a real API server', () => {
  beforeAll(async () => {
    world = await startClusterWorld();
    await world.apply(together(rights, mcpClass, mcpGateway(gateway), mcpGateway('red/gw'), policy('default/p', 'gw')));
    const tokens = { audience: 'gatehouse', keys: undefined };
    replica = await world.replica({ xdsAuth: { kind: 'required', tokens, certificates: undefined } });
    await replica.synced;
  }, 120_000);
  afterAll(async () => world[Symbol.asyncDispose]());

  describe('of the TokenRequest API', acceptance);
  describe('that has a stream', changes);
  describe('that has expired', expiry);
});
