import { describe, expect, it } from 'vitest';
import { createExplainer } from '../../../src/explain/explain.ts';
import type { Finding } from '../../../src/explain/model.ts';
import type { Collection } from '../../../src/graph/model.ts';
import { guideJwk } from '../../support/processes/guide.ts';
import { createFreshWorld } from '../../support/worlds/fresh-world.ts';
import {
  gatewayWith,
  isSubject,
  mcpClass,
  mcpGateway,
  mcpService,
  namespace,
  openGateway,
  policy,
  policyWith,
  serviceWith,
  together,
} from '../../support/worlds/manifests.ts';
import { defaultSettings } from '../../support/worlds/translated-world.ts';

function hintsOf(...manifests: readonly string[]): readonly Finding[] {
  const { pipeline } = createFreshWorld({ 'a.yaml': together(...manifests) });
  return [...pipeline.explainer.hints()].filter((hint) => hint !== undefined);
}

const messagesOf = (...manifests: readonly string[]): readonly string[] =>
  hintsOf(...manifests).map(({ message }) => message);
const withNames = (...names: readonly string[]): string =>
  policyWith(
    'default/p',
    '[{ name: gw }]',
    `[${names.map((name) => `{ matches: [${isSubject('me')}], resource: { kind: tool, name: "${name}" } }`).join(', ')}]`,
  );

describe('the hints of a world', () => {
  it('never repeat the value of a claim', () => {
    const match = '{ type: JWT, jwt: { claim: "a.b ", value: "geheim " } }';
    const rules = `[{ matches: [${match}], resource: { kind: tool, name: "default/gone:run " } }]`;
    const hints = hintsOf(openGateway, policyWith('default/p', '[{ name: gw }, { name: gone }]', rules));
    expect(hints.length).toBe(6);
    expect(JSON.stringify(hints)).not.toContain('geheim');
  });

  it('are none for a world without mistakes', () => {
    expect(messagesOf(openGateway, mcpService('default/tool'), withNames('default/tool:run', '*'))).toEqual([]);
  });

  it('name the port of a listener that agentgateway uses itself', () => {
    const listener = (port: number): string => `[{ name: mcp, port: ${port}, protocol: kgateway.dev/mcp }]`;
    const ofPort = (port: number): readonly string[] =>
      messagesOf(mcpClass, gatewayWith('default/gw', listener(port)), mcpService('default/tool'));
    expect([15_000, 15_020, 15_021].flatMap(ofPort)).toEqual([
      expect.stringContaining('Port 15000 is one that agentgateway uses itself'),
      expect.stringContaining('Port 15020'),
      expect.stringContaining('Port 15021'),
    ]);
    expect(ofPort(15_001)).toEqual([]);
  });

  it('name a target that is missing once for each policy', () => {
    expect(messagesOf(openGateway, withNames('red/gone:a', 'red/gone:b'), policy('default/q', 'gw')).length).toBe(1);
  });

  it('say of a Service once what several policies want of it', () => {
    const plain = serviceWith('default/tool', '{ ports: [{ port: 80 }] }');
    const other = policy('default/q', 'gw', 'you', '{ kind: tool, name: "default/tool:walk" }');
    expect(messagesOf(openGateway, plain, withNames('default/tool:run'), other)).toEqual([
      expect.stringContaining('Service default/tool makes no target'),
    ]);
  });

  it('do not repeat what its Service is told, which makes none', () => {
    const broken = serviceWith('default/tool', '{ ports: [{ port: 0, appProtocol: kgateway.dev/mcp }] }');
    expect(messagesOf(openGateway, broken, withNames('default/tool:run', 'default/tool/81:run'))).toEqual([]);
  });

  it('suggest a near name for the first hundred, and name the others without', () => {
    const names = Array.from({ length: 130 }, (_, n) => `default/to${n}:run`);
    const hints = messagesOf(openGateway, mcpService('default/tool'), withNames(...names));
    expect(hints.length).toBe(130);
    expect(hints.filter((message) => message.includes('the nearest target is')).length).toBe(100);
  });

  it('are about a Gateway of another controller only when somebody here means it', () => {
    const theirs = mcpClass.replace('kgateway.dev/kgateway', 'example.com/theirs');
    const web = gatewayWith('default/web', '[{ name: web, port: 80, protocol: HTTP }]');
    expect(messagesOf(theirs, web)).toEqual([]);
    expect(messagesOf(theirs, web, policy('default/p', 'web')).length).toBe(2);
    expect(messagesOf(theirs, mcpGateway('default/gw')).length).toBe(1);
    expect(messagesOf(web).length).toBe(1);
  });
});

describe('the work of looking for hints', () => {
  /** The most entries that are read of all collections in one step, in a world of so many Gateways. */
  function mostReads(gateways: number): number {
    const names = Array.from({ length: gateways }, (_, n) => `team-${n}`);
    const manifests = names.flatMap((team) => [
      mcpGateway(`${team}/gw`, 'from: Same'),
      mcpService(`${team}/tool`),
      namespace(team),
      signers.replaceAll('namespace: default', `namespace: ${team}`),
    ]);
    const { pipeline } = createFreshWorld({ 'a.yaml': together(mcpClass, ...manifests) });
    let reads = 0;
    const counting = <V>(collection: Collection<V>): Collection<V> => ({
      name: collection.name,
      get size() {
        return collection.size;
      },
      get(key) {
        reads += 1;
        return collection.get(key);
      },
      *entries() {
        for (const entry of collection.entries()) {
          reads += 1;
          yield entry;
        }
      },
    });
    const { resources, translation } = pipeline;
    const { GatewayClass, Gateway, Service, Namespace, MCPAuthPolicy } = resources;
    const explainer = createExplainer({
      resources: {
        ...resources,
        GatewayClass: counting(GatewayClass),
        Gateway: counting(Gateway),
        Service: counting(Service),
        Namespace: counting(Namespace),
        MCPAuthPolicy: counting(MCPAuthPolicy),
      },
      translation: {
        ...translation,
        gateways: counting(translation.gateways),
        targets: counting(translation.targets),
      },
      unlistedNamespaces: { name: 'unlisted', size: 0, get: () => undefined, entries: () => new Map().entries() },
      controllerName: defaultSettings.controllerName,
    });
    let most = 0;
    for (const _ of explainer.hints()) {
      most = Math.max(most, reads);
      reads = 0;
    }
    return Math.max(most, reads);
  }

  it('has steps that do not grow with the world', () => {
    const few = mostReads(10);
    expect(few).toBeGreaterThan(0);
    expect(mostReads(60)).toBe(few);
  });
});

/** Says who may sign for a Gateway. */
const signers = `
apiVersion: gateway.kgateway.dev/v1alpha1
kind: MCPAuthPolicy
metadata: { name: signers, namespace: default }
spec:
  targetRefs: [{ name: gw }]
  jwt: { providers: [{ issuer: me, audiences: [me.com], jwks: { inline: '${JSON.stringify(guideJwk)}' } }] }
`;

describe('the hints about signers', () => {
  const ofIssuer = (issuer: string): string =>
    policyWith(
      'default/p',
      '[{ name: gw }, { name: other }]',
      `[{ matches: [{ type: JWT, jwt: { claim: iss, value: ${issuer} } }], resource: { kind: tool, name: "*" } }]`,
    );
  const base = [openGateway, mcpGateway('default/other'), mcpService('default/tool')];

  it('name a Gateway without signers beside others that have them, and a rule for an issuer that none of them is', () => {
    expect(messagesOf(...base, ofIssuer('me')), 'no policy is about signers').toEqual([]);
    const hints = hintsOf(...base, ofIssuer('you'), signers);
    expect(hints.map(({ at, message }) => [at.key, at.path.join('.'), message])).toEqual([
      ['default/other', 'spec', expect.stringContaining('has spec.jwt, unlike those of default/gw')],
      ['default/p', 'spec.rules.0.matches.0.jwt.value', expect.stringContaining('Gateway default/gw has this issuer')],
    ]);
    expect(messagesOf(openGateway, mcpService('default/tool'), policy('default/p', 'gw'), signers)).toEqual([]);
  });

  it('count issuers as they are written, and those of other namespaces for nothing', () => {
    const fetched = signers.replace(
      '] }',
      ", { issuer: you, audiences: [me.com], jwks: { uri: 'https://login.test/keys' } }] }",
    );
    expect(fetched).not.toBe(signers);
    expect(messagesOf(openGateway, mcpService('default/tool'), policy('default/p', 'gw'), fetched)).toEqual([]);
    const ofYou = ofIssuer('you').replace(', { name: other }', '');
    expect(messagesOf(openGateway, mcpService('default/tool'), ofYou, fetched), 'its keys are not fetched').toEqual([]);
    const elsewhere = signers.replaceAll('namespace: default', 'namespace: red').replace('name: gw', 'name: none');
    expect(messagesOf(...base, ofIssuer('me'), elsewhere).join(), 'another namespace is no reason').not.toContain(
      'spec.jwt',
    );
  });
});

describe('the hints about selectors', () => {
  it.each([
    [
      '{ taem: red }',
      'The listener "mcp" of Gateway default/gw does not select this Namespace, which has targets: its label is "taem=red". Write "team=red", if it is to be selected.',
    ],
    [
      '{ team: Red }',
      'The listener "mcp" of Gateway default/gw does not select this Namespace, which has targets: its label is "team=Red". Write "team=red", if it is to be selected.',
    ],
    ['{ team: blue }', undefined],
    ['{ taem: blue }', undefined],
    ['{ env: red }', undefined],
    ['{}', undefined],
  ])('are about a Namespace whose only label that does not fit is nearly the wanted one: %s', (labels, message) => {
    const selecting = mcpGateway('default/gw', 'from: Selector, selector: { matchLabels: { team: red } }');
    const hints = hintsOf(
      together(mcpClass, selecting, selecting.replaceAll('gw', 'other')),
      namespace('good', '{ team: red }'),
      mcpService('good/tool'),
      namespace('bad', labels),
      mcpService('bad/tool'),
    );
    const found = hints.map(({ at: { kind, key }, message: said }) => `${kind} ${key} ${said}`);
    const expected = message === undefined ? [] : [message, message.replace('default/gw', 'default/other')];
    expect(found).toEqual(expected.map((one) => `Namespace bad ${one}`));
  });

  it('are none for a Namespace that another listener allows', () => {
    const mcp = (name: string, port: number, allowed: string): string =>
      `{ name: ${name}, port: ${port}, protocol: kgateway.dev/mcp, allowedRoutes: { namespaces: { ${allowed} } } }`;
    const selector = 'from: Selector, selector: { matchLabels: { team: red } }';
    const world = [mcpClass, namespace('bad', '{ taem: red }'), mcpService('bad/tool')];
    expect(
      messagesOf(...world, gatewayWith('bad/gw', `[${mcp('a', 1, selector)}, ${mcp('b', 2, 'from: Same')}]`)),
    ).toEqual([]);
    expect(
      messagesOf(...world, gatewayWith('bad/gw', `[${mcp('a', 1, selector)}, ${mcp('b', 2, 'from: All')}]`)),
    ).toEqual([]);
  });

  it('are about a selector that selects nothing, not about one that selects another namespace', () => {
    const selecting = mcpGateway(
      'default/gw',
      'from: Selector, selector: { matchLabels: { kubernetes.io/metadata.name: red } }',
    );
    expect(messagesOf(mcpClass, selecting, mcpService('red/tool'), mcpService('blue/tool'))).toEqual([]);
    expect(messagesOf(mcpClass, selecting, mcpService('blue/tool')).length).toBe(1);
    expect(messagesOf(mcpClass, selecting)).toEqual([]);
  });
});
