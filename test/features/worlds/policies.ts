import { isSubject, openGateway, policy, policyWith, together } from '../../support/worlds/manifests.ts';
import type { World } from './world.ts';

const gw = '[{ name: gw }]';
const anyTool = 'resource: { kind: tool, name: "*" }';
const me = `matches: [${isSubject('me')}]`;
const served = (configs: Readonly<Record<string, readonly string[]>>): World['serves'] => ({
  'default/gw': { configs },
});
const mine = { 'default.p': ['tool * when sub is me'] };
const withRules = (...rules: readonly string[]): string =>
  together(openGateway, policyWith('default/p', gw, `[${rules.join(', ')}]`));
const withMatches = (...matches: readonly string[]): string =>
  withRules(`{ matches: [${matches.join(', ')}], ${anyTool} }`);

/** Translation of policies: section 3. */
export const policiesWorlds: readonly World[] = [
  {
    clause: 'each match is a rule',
    files: { 'p1.yaml': withMatches(isSubject('me'), isSubject('you')) },
    serves: served({ 'default.p': ['tool * when sub is me', 'tool * when sub is you'] }),
  },
  {
    clause: 'an invalid field drops its match',
    files: {
      'p2.yaml': withMatches(
        isSubject('me'),
        isSubject('5'),
        isSubject('""'),
        isSubject('null'),
        '{ jwt: { claim: sub, value: you } }',
        '{ type: JWT, jwt: { claim: sub, value: you, not: true } }',
        '{ type: JWT, jwt: { claim: sub, value: you }, serviceAccount: { name: you } }',
        '{ type: OIDC, jwt: { claim: sub, value: you } }',
      ),
    },
    serves: served(mine),
  },
  {
    clause: 'an invalid field drops its rule',
    files: {
      'p3.yaml': withRules(
        `{ ${me}, resource: { kind: tool, name: "*" } }`,
        `{ ${me}, resource: { kind: prompt, name: "*" }, action: Deny }`,
        `{ ${me}, resource: { kind: prompt, name: "*", except: a } }`,
        `{ ${me} }`,
        `{ matches: [], resource: { kind: prompt, name: "*" } }`,
        `{ resource: { kind: prompt, name: "*" } }`,
        `{ ${me}, resource: { kind: file, name: "*" } }`,
      ),
    },
    serves: served(mine),
  },
  {
    clause: 'a name is a star, or a target and a name',
    files: {
      'p4.yaml': withRules(
        ...[
          '"*"',
          '"default/tool:a:b"',
          '"default/*:a"',
          '"default/tool:"',
          '":a"',
          'default',
          '"de*ault/tool:*"',
          '"a:b*"',
        ].map((name) => `{ ${me}, resource: { kind: Tool, name: ${name} } }`),
      ),
    },
    serves: served({
      'default.p': ['tool * when sub is me', 'tool default/tool:a:b when sub is me', 'tool a:b* when sub is me'],
    }),
  },
  {
    clause: 'an unknown field in the spec drops the whole policy',
    files: {
      'p5.yaml': together(openGateway, policy('default/p', 'gw').replace('spec: {', 'spec: { defaultAction: Deny,')),
    },
    serves: {},
  },
  {
    clause: 'a policy without valid rules allows nothing and is not sent',
    files: {
      'p6.yaml': together(
        openGateway,
        policyWith('default/none', gw, '[]'),
        policyWith('default/bad', gw, `[{ ${anyTool} }]`),
      ),
    },
    serves: {},
  },
  {
    clause: 'a service account is a subject, by default in the namespace of the policy',
    files: {
      'p7.yaml': withMatches(
        '{ type: ServiceAccount, serviceAccount: { name: a } }',
        '{ type: serviceaccount, serviceAccount: { name: b, namespace: red } }',
        '{ type: ServiceAccount, serviceAccount: { name: c, namespace: "" } }',
        '{ type: ServiceAccount, serviceAccount: { name: D } }',
      ),
    },
    serves: served({
      'default.p': [
        'tool * when sub is system:serviceaccount:default:a',
        'tool * when sub is system:serviceaccount:red:b',
      ],
    }),
  },
  {
    clause: 'policies are additive and independent',
    files: { 'p8.yaml': together(openGateway, policy('default/p', 'gw'), policy('default/q.r', 'gw', 'you')) },
    serves: served({ ...mine, 'default.q.r': ['tool * when sub is you'] }),
  },
  {
    clause: 'a policy applies only to Gateways of its namespace',
    files: {
      'p9.yaml': together(
        openGateway,
        policy('red/p', 'gw'),
        policyWith('red/q', '[{ name: gw, namespace: default }]', `[{ ${me}, ${anyTool} }]`),
      ),
    },
    serves: {},
  },
  {
    clause: 'each reference to something else than a Gateway is invalid',
    files: {
      'p10.yaml': together(
        openGateway,
        ...['sectionName: mcp', 'sectionname: mcp', 'group: apps', 'kind: Service', 'group: 5', 'kind: null'].map(
          (more, n) => policyWith(`default/bad-${n}`, `[{ name: gw, ${more} }]`, `[{ ${me}, ${anyTool} }]`),
        ),
        policyWith(
          'default/p',
          '[{ name: gone }, { name: gw, sectionName: mcp }, { name: gw, group: "", kind: "" }, { name: gw }]',
          `[{ ${me}, ${anyTool} }]`,
        ),
      ),
    },
    serves: served(mine),
  },
  {
    clause: 'duplicates are sent once',
    files: {
      'p11.yaml': withRules(
        `{ ${me}, ${anyTool} }`,
        `{ matches: [${isSubject('you')}, ${isSubject('me')}], ${anyTool} }`,
      ),
    },
    serves: served({ 'default.p': ['tool * when sub is me', 'tool * when sub is you'] }),
  },
  {
    clause: 'control characters and overlong values are invalid',
    files: {
      'p12.yaml': withMatches(
        isSubject('me'),
        isSubject('"a\\0b"'),
        isSubject('"a\\u0085b"'),
        isSubject('x'.repeat(1025)),
        `{ type: JWT, jwt: { claim: ${'x'.repeat(254)}, value: a } }`,
      ),
    },
    serves: served(mine),
  },
];
