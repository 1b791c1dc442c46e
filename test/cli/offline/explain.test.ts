import { describe, expect, it } from 'vitest';
import { type CliRun, cli } from '../../support/processes/terminal.ts';
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

const gw = '[{ name: gw }]';
const rule = (name: string, kind = 'tool', ...matches: readonly string[]): string =>
  `{ matches: [${(matches.length === 0 ? [isSubject('me')] : matches).join(', ')}], resource: { kind: ${kind}, name: ${name} } }`;
const tool = mcpService('default/tool');
const world = together(openGateway, tool, policyWith('default/p', gw, `[${rule('"default/tool:run"')}]`));

async function explain(text: string, ...args: readonly string[]): Promise<CliRun> {
  return cli(['explain', '-f', '-', ...args], {}, { input: text });
}

/** The lines about a caller who calls the tool `default/tool:run`, unless the flags say otherwise. */
async function linesFor(text: string, claims: object, ...flags: readonly string[]): Promise<readonly string[]> {
  const asked = flags.length === 0 ? ['--tool=default/tool:run'] : flags;
  const { stdout } = await explain(text, `--claims=${JSON.stringify(claims)}`, ...asked);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.replace('<stdin>:', ''));
}

const me = { sub: 'me' };

describe('an allowed call', () => {
  it('names the rule as its author wrote it', async () => {
    const rules = `[${rule('"default/tool:other"')}, ${rule('"default/tool:run"', 'tool', isSubject('you'), isSubject('me'))}]`;
    expect(await linesFor(together(openGateway, tool, policyWith('default/p', gw, rules)), me)).toEqual([
      'allowed: the tool "default/tool:run" on Gateway default/gw',
      '  by MCPAuthPolicy default/p spec.rules[1].matches[1] (19:221): "sub" is "me"',
    ]);
  });

  it('names the Config that gateways would log, of several that allow it', async () => {
    const twice = together(world, policy('default/a', 'gw'));
    expect((await linesFor(twice, me))[1]).toContain('MCPAuthPolicy default/a spec.rules[0].matches[0]');
  });

  it('says why it would fail nevertheless', async () => {
    const text = together(
      mcpClass,
      mcpGateway('default/gw', 'from: Same'),
      policy('default/p', 'gw'),
      mcpService('red/tool'),
    );
    expect((await linesFor(text, me, '--tool=red/tool:run')).slice(2)).toEqual([
      'it would fail nevertheless:',
      '  1. 9:32: Gateway default/gw does not serve the target "red/tool": no listener allows the namespace "red"; the listener "mcp" allows the own namespace only, and would allow it with "from: All".',
    ]);
  });
});

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
    'a dropped match',
    together(openGateway, tool, policyWith('default/p', gw, `[${rule('"*"', 'tool', isSubject('5'))}]`)),
    me,
    [],
    'Of the policy default/p is dropped: spec.rules[0].matches[0]. spec.rules[0].matches[0].jwt.value is a number and no string',
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

  it('lists every near miss, the nearest first', async () => {
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

  it('lists twenty near misses and counts the others', async () => {
    const matches = Array.from({ length: 30 }, (_, n) => isSubject(`me${n}`));
    const text = together(openGateway, tool, policyWith('default/p', gw, `[${rule('"*"', 'tool', ...matches)}]`));
    const lines = await linesFor(text, me);
    expect(lines.length).toBe(23);
    expect(lines.at(-1)).toBe('  ... and 10 further near misses');
  });

  it('names every namespace label that a listener wants', async () => {
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

describe('a question without a caller or a name', () => {
  const mixed = together(world, policy('default/q', 'gw', 'you'), mcpService('red/tool'));

  it('is answered with everything that the caller may use', async () => {
    expect(await linesFor(mixed, { sub: 'you' }, '--gateway=gw')).toEqual([
      'KIND  NAME             SERVED  WHO           BY POLICY                           PLACE',
      'tool  * (all of them)  yes     sub is "you"  default/q spec.rules[0].matches[0]  24:57',
    ]);
    expect((await linesFor(mixed, { sub: 'nobody' }, '--gateway=gw'))[0]).toBe(
      'denied: this caller may use nothing on Gateway default/gw',
    );
  });

  it('is answered with everybody who may use it', async () => {
    const { stdout } = await explain(mixed, '--tool=default/tool:run');
    expect(stdout.split('\n').slice(1, 3)).toEqual([
      expect.stringMatching(/^tool {2}\* \(all of them\) .*sub is "you"/),
      expect.stringMatching(/^tool {2}default\/tool:run .*sub is "me"/),
    ]);
  });

  it('has an exit code only when it is asked for', async () => {
    expect((await explain(mixed, '--tool=default/tool:run', '--claims={}')).code).toBe(0);
    expect((await explain(mixed, '--tool=default/tool:run', '--claims={}', '--exit-code')).code).toBe(1);
    expect((await explain(mixed, '--prompt=default/tool:run', '--exit-code')).code).toBe(1);
    expect((await explain(mixed, '--exit-code')).code).toBe(0);
  });
});

describe('explain', () => {
  it('writes a document of stable form', async () => {
    const { stdout } = await explain(world, '-o', 'json', '--tool=default/tool:run', '--claims={"sub":"you"}');
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      gateway: 'default/gw',
      request: { kind: 'tool', name: 'default/tool:run' },
      verdict: 'denied',
      reasons: [
        {
          code: 'claim-value',
          at: { kind: 'MCPAuthPolicy', key: 'default/p', path: ['spec', 'rules', 0, 'matches', 0] },
          place: expect.stringMatching(/^<stdin>:19:\d+$/),
          message: expect.stringContaining('needs the claim "sub"'),
        },
      ],
      omitted: 0,
      notes: [],
    });
  });

  it.each([
    [[], /say which manifests to read: -f <file or folder>/],
    [['-f', '-', '--tool=a', '--prompt=b'], /ask for one thing/],
    [['-f', '-', '--claims={}', '--token=a'], /one of the two/],
    [['-f', '-', '--token=-'], /standard input is either the token or a manifest/],
    [['-f', '-'], /no Gateway in these manifests is of this controller: gatehouse check says why/],
  ])('says what to write instead of %j', async (args, message) => {
    const { code, stderr } = await cli(['explain', ...args]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
  });

  it('asks for the Gateway when there are several', async () => {
    const { code, stderr } = await explain(together(world, mcpGateway('default/other')));
    expect(code).toBe(2);
    expect(stderr).toContain('say which of the 2 Gateways is called: --gateway, one of default/gw, default/other.');
  });
});
