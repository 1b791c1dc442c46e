import { describe, expect, it } from 'vitest';
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
import { explain, gw, linesFor, me, rule, tool, world } from './explain-rig.ts';

/** Why a call is denied, the world, the claims, other flags, and the beginning of the nearest reason. */
const denied: readonly (readonly [
  why: string,
  manifests: string,
  claims: object,
  flags: readonly string[],
  nearest: string,
])[] = [
  [
    'another value',
    world,
    { sub: 'you' },
    [],
    'spec.rules[0].matches[0] needs the claim "sub" with the value "me", and that of the caller is "you".',
  ],
  [
    'no such claim',
    world,
    { email: 'me' },
    [],
    'spec.rules[0].matches[0] needs the claim "sub" with the value "me", and the caller has no such claim. It has "email".',
  ],
  [
    'a list',
    world,
    { sub: ['me'] },
    [],
    'spec.rules[0].matches[0] needs the claim "sub" with the value "me". That of the caller is a list that contains "me".',
  ],
  [
    'a blank',
    world,
    { sub: 'me ' },
    [],
    'spec.rules[0].matches[0] needs the claim "sub" with the value "me". That of the caller differs in blanks at its ends only.',
  ],
  [
    'a word of a text',
    together(openGateway, tool, policy('default/p', 'gw', 'read')),
    { sub: 'read write' },
    [],
    'spec.rules[0].matches[0] needs the claim "sub" with the value "read". That of the caller is one text, of which "read" is one word.',
  ],
  [
    'a nested claim',
    together(
      openGateway,
      tool,
      policyWith(
        'default/p',
        gw,
        `[${rule('"*"', 'tool', '{ type: JWT, jwt: { claim: realm_access.role, value: a } }')}]`,
      ),
    ),
    { realm_access: { role: 'a' } },
    [],
    'spec.rules[0].matches[0] needs the claim "realm_access.role" with the value "a". That of the caller is nested in the token',
  ],
  [
    'another name',
    world,
    me,
    ['--tool=default/tool:rum'],
    'spec.rules[0].matches[0] matches the caller, but the rule is for the tool "default/tool:run".',
  ],
  [
    'a target that does not exist',
    world,
    me,
    ['--tool=default/tol:run'],
    'No Service makes the target "default/tol": the nearest target is "default/tool".',
  ],
  [
    'another kind',
    world,
    me,
    ['--prompt=default/tool:run'],
    'spec.rules[0].matches[0] matches the caller, but the rule is for the tool "default/tool:run", and this is a prompt.',
  ],
  [
    'a bare name',
    world,
    me,
    ['--tool=run'],
    '"run" is a name without its target; the name of a tool in rules is <target>:<tool>. Did you mean "default/tool:run"?',
  ],
  [
    'the portable name that clients see',
    world,
    me,
    ['--tool=default_tool__run'],
    '"default_tool__run" is the name that clients see at a gateway with --names=portable; the name of a tool in rules is <target>:<tool>, here "default/tool:run". Ask for that one.',
  ],
  [
    'a target without its namespace',
    world,
    me,
    ['--tool=tool:run'],
    '"tool:run" names its target without the namespace; the name of a tool in rules is <target>:<tool>, here "default/tool:run". Ask for that one.',
  ],
  [
    'a name with two underscores',
    world,
    me,
    ['--tool=other_tool__run'],
    '"other_tool__run" is a name without its target; the name of a tool in rules is <target>:<tool>.',
  ],
  [
    'the URI that clients see',
    world,
    me,
    ['--resource=mcp://default/tool/file%3A%2F%2F%2Fa'],
    '"mcp://default/tool/file%3A%2F%2F%2Fa" is the URI that clients see; the name of a resource in rules is <target>:<upstream URI>, here "default/tool:file:///a".',
  ],
  [
    'the URI of the upstream',
    world,
    me,
    ['--resource=file:///a'],
    `"file:///a" is the upstream's own URI; the name of a resource in rules is <target>:<upstream URI>.`,
  ],
  [
    'a policy on another Gateway',
    together(openGateway, tool, mcpGateway('default/other'), policy('default/p', 'other')),
    me,
    ['--gateway=default/gw', '--tool=default/tool:run'],
    'No policy names Gateway default/gw',
  ],
  [
    'a policy in another namespace',
    together(openGateway, tool, policy('red/p', 'gw')),
    me,
    [],
    'No policy names Gateway default/gw',
  ],
  [
    'a misspelt Gateway',
    world,
    me,
    ['--gateway=default/gv', '--tool=default/tool:run'],
    'There is no Gateway "default/gv". The nearest is default/gw.',
  ],
  [
    'a class that does not exist',
    world.replace('gatewayClassName: mcp', 'gatewayClassName: mpc'),
    me,
    ['--gateway=gw', '--tool=default/tool:run'],
    'Gateway default/gw is not served here: there is no GatewayClass "mpc". The nearest class of this controller is "mcp".',
  ],
  [
    'a controller that is another',
    world.replace('kgateway.dev/kgateway', 'example.com/it'),
    me,
    ['--gateway=gw', '--tool=default/tool:run'],
    'Gateway default/gw is not served here: the controllerName of its GatewayClass "mcp" is "example.com/it", and here it is "kgateway.dev/kgateway".',
  ],
  [
    'a class that is not accepted',
    world.replace(
      'kgateway.dev/kgateway',
      'kgateway.dev/kgateway, parametersRef: { group: gateway.kgateway.dev, kind: GatewayParameters, name: gone, namespace: default }',
    ),
    me,
    [],
    'Gateway default/gw is not accepted: Waiting for the GatewayClass "mcp", which is not accepted.',
  ],
  [
    'no accepted listener',
    together(mcpClass, gatewayWith('default/gw', '[{ name: a, port: 80, protocol: mcp }]'), tool),
    me,
    [],
    'Gateway default/gw serves no targets: No listener is accepted. Not accepted: a: The protocol "mcp" is not supported here: did you mean "kgateway.dev/mcp"?',
  ],
  [
    'a Service without appProtocol',
    together(openGateway, serviceWith('default/tool', '{ ports: [{ port: 80 }] }'), policy('default/p', 'gw', 'you')),
    me,
    [],
    'Service default/tool makes no target: spec.ports[0] has no appProtocol. Write "appProtocol: kgateway.dev/mcp".',
  ],
  [
    'a misspelt appProtocol',
    together(
      openGateway,
      serviceWith('default/tool', '{ ports: [{ port: 80, appProtocol: kgateway.dev/mpc }] }'),
      policy('default/p', 'gw', 'you'),
    ),
    me,
    [],
    'Service default/tool makes no target: spec.ports[0].appProtocol is "kgateway.dev/mpc", which does not say MCP. Write "kgateway.dev/mcp".',
  ],
  [
    'an invalid policy',
    together(openGateway, tool, policy('default/p', 'gw').replace('spec: {', 'spec: { action: Deny,')),
    me,
    [],
    'The policy default/p is invalid, so that it allows nothing: spec.action',
  ],
  [
    'a policy whose only reference is misspelt',
    together(openGateway, tool, policy('default/p', 'gv')),
    me,
    [],
    'spec.rules[0] of the policy default/p would allow it, but the policy does not name Gateway default/gw. Add "name: gw" to its targetRefs.',
  ],
  [
    'a policy with a misspelt field for its references',
    together(openGateway, tool, policy('default/p', 'gw').replace('targetRefs', 'targetRef')),
    me,
    [],
    'The policy default/p names no Gateway and is invalid, so that it allows nothing; it may be meant for this one. spec.targetRef is not a known field: write "targetRefs"',
  ],
  [
    'a policy with a misspelt field in its reference',
    together(openGateway, tool, policyWith('default/p', '[{ nmae: gw }]', `[${rule('"*"')}]`)),
    me,
    [],
    'spec.rules[0] of the policy default/p would allow it, but no reference of the policy that counts names Gateway default/gw, and one is invalid: spec.targetRefs[0].name is missing',
  ],
  [
    'a dropped match',
    together(openGateway, tool, policyWith('default/p', gw, `[${rule('"*"', 'tool', isSubject('5'))}]`)),
    me,
    [],
    'Of the policy default/p is dropped: spec.rules[0].matches[0]. spec.rules[0].matches[0].jwt.value is a number and no string',
  ],
  [
    'a policy without rules',
    together(openGateway, tool, policyWith('default/p', gw, '[]')),
    me,
    [],
    'The policy default/p has no rules, so that it allows nothing. Write rules in its spec.',
  ],
  [
    'a dropped rule',
    together(openGateway, tool, policyWith('default/p', gw, `[${rule('run')}]`)),
    me,
    [],
    'Of the policy default/p is dropped: spec.rules[0].',
  ],
];

describe('a denied call', () => {
  it.each(denied)('is explained by %s', async (_why, manifests, claims, flags, nearest) => {
    const [verdict, title, first] = await linesFor(manifests, claims, ...flags);
    expect(verdict).toMatch(/^denied: /);
    expect(title).toBe('what is nearest:');
    expect(first?.replace(/^ {2}1\. (\d+:\d+: )?(MCPAuthPolicy default\/p: )?/, '').slice(0, nearest.length)).toBe(
      nearest,
    );
  });

  it.each([
    ['sectionName: a', 'spec.targetRefs[0].sectionName is not supported'],
    ['group: example.com', 'spec.targetRefs[0] is of kind "Gateway" in group "example.com"'],
    ['kind: Service', 'spec.targetRefs[0] is of kind "Service" in group "gateway.networking.k8s.io"'],
    ['namespace: default', 'spec.targetRefs[0].namespace is not known here'],
  ])('is explained by a reference that does not count: %s', async (field, why) => {
    const text = together(openGateway, tool, policyWith('default/p', `[{ name: gw, ${field} }]`, `[${rule('"*"')}]`));
    const [, , first] = await linesFor(text, me);
    expect(first).toContain(`spec.rules[0] would allow it, but the policy is not attached to the Gateway: ${why}`);
  });

  it('comes with the reasons why policies and files are not read at all', async () => {
    const list = policyWith('default/p', '{ name: gw }', `[${rule('"*"')}]`);
    const { stdout } = await explain(
      together(openGateway, tool, list),
      '--claims={"sub":"me"}',
      '--tool=default/tool:run',
    );
    expect(stdout).toContain('spec.targetRefs is a mapping: write a list.');
    const broken = await explain(together(openGateway, tool, '}'), '--claims={"sub":"me"}', '--tool=default/tool:run');
    expect(`${broken.stdout}${broken.stderr}`).toMatch(/<stdin>:\d+:\d+: /);
  });
});

describe('the near misses of a denied call', () => {
  it('do not say to write a rule for a name that no rule can have', async () => {
    const lines = await linesFor(world, me, '--tool=run');
    expect(lines.at(-1)).toMatch(/the rule is for the tool "default\/tool:run"\. Correct the name\.$/);
  });

  it('are listed, the nearest first', async () => {
    const rules = [rule('"default/tool:ru"'), rule('"default/tool:run"', 'tool', isSubject('mew'), isSubject('you'))];
    const text = together(
      openGateway,
      tool,
      policyWith('default/p', gw, `[${rules.join(', ')}]`),
      policy('red/q', 'gw'),
      namespace('red'),
    );
    const reasons = (await linesFor(text, { sub: 'me' })).slice(2);
    expect(reasons.map((line) => line.replace(/^ {2}\d\. [\d:]+ /, ''))).toEqual([
      expect.stringContaining(
        'of the policy red/q would allow it, but a policy names Gateways of its own namespace only',
      ),
      expect.stringContaining('spec.rules[1].matches[0] needs the claim "sub" with the value "mew"'),
      expect.stringContaining('spec.rules[1].matches[1] needs the claim "sub" with the value "you"'),
      expect.stringContaining('the rule is for the tool "default/tool:ru"'),
    ]);
  });

  it('are twenty, and the others are counted', async () => {
    const matches = Array.from({ length: 30 }, (_, n) => isSubject(`me${n}`));
    const text = together(openGateway, tool, policyWith('default/p', gw, `[${rule('"*"', 'tool', ...matches)}]`));
    const lines = await linesFor(text, me);
    expect(lines.length).toBe(23);
    expect(lines.at(-1)).toBe('  ... and 10 further near misses');
  });

  it('name every namespace label that a listener wants', async () => {
    const text = together(
      mcpClass,
      mcpGateway('default/gw', 'from: Selector, selector: { matchLabels: { team: red, env: prod } }'),
      namespace('red', '{ team: blue }'),
      mcpService('red/tool'),
      policy('default/p', 'gw', 'you'),
    );
    expect((await linesFor(text, me, '--tool=red/tool:run')).at(-1)).toContain(
      'the listener "mcp" would allow it if the Namespace "red" had the label env=prod and had the label team=red (it is "blue").',
    );
  });
});
