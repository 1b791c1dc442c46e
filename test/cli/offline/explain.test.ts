import { describe, expect, it } from 'vitest';
import { cli } from '../../support/processes/terminal.ts';
import {
  isSubject,
  mcpClass,
  mcpGateway,
  mcpService,
  openGateway,
  policy,
  policyWith,
  together,
} from '../../support/worlds/manifests.ts';
import { explain, gw, linesFor, me, rule, tool, world } from './explain-rig.ts';

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

describe('a question without a caller or a name', () => {
  const mixed = together(world, policy('default/q', 'gw', 'you'), mcpService('red/tool'));

  it('is answered with everything that the caller may use', async () => {
    expect(await linesFor(mixed, { sub: 'you' }, '--gateway=gw')).toEqual([
      'TARGET  KIND  NAME  SERVED  WHO           BY POLICY                           PLACE',
      '*       tool  *     yes     sub is "you"  default/q spec.rules[0].matches[0]  24:57',
      '* is everything behind every target of the Gateway: default/tool, red/tool',
    ]);
    expect(await linesFor(mixed, { sub: 'nobody' }, '--gateway=gw')).toEqual([
      'denied: this caller may use nothing on Gateway default/gw',
      '  ask about one thing to see why: --tool, --prompt or --resource',
    ]);
  });

  it('is answered with everybody who may use it', async () => {
    const { stdout } = await explain(mixed, '--tool=default/tool:run');
    expect(stdout.split('\n').slice(1, 3)).toEqual([
      expect.stringMatching(/^\* {13}tool {2}\* .*sub is "you"/),
      expect.stringMatching(/^default\/tool {2}tool {2}run .*sub is "me"/),
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
  it('answers from what is valid, and says that something is not', async () => {
    const { stdout } = await explain(
      together(world, 'kind: Gateway\napiVersion: gateway.networking.k8s.io/v1'),
      '--tool=default/tool:run',
      '--claims={"sub":"me"}',
    );
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      'note: The input has an error, and what is invalid is left out: gatehouse check lists them.',
      'allowed: the tool "default/tool:run" on Gateway default/gw',
    ]);
  });

  it('says which objects are not read because their kind is misspelt', async () => {
    const { stdout } = await explain(
      world.replace('kind: MCPAuthPolicy', 'kind: MCPAuthPolcy'),
      '--tool=default/tool:run',
      '--claims={"sub":"me"}',
    );
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      'note: <stdin>:17:1: kind is "MCPAuthPolcy", which is not read: write "MCPAuthPolicy", the nearest known one, if it is to count.',
      'denied: the tool "default/tool:run" on Gateway default/gw',
    ]);
  });
});

describe('explain and its flags', () => {
  it('writes a document of stable form', async () => {
    const { stdout } = await explain(world, '-o', 'json', '--tool=default/tool:run', '--claims={"sub":"you"}');
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      gateway: 'default/gw',
      request: { kind: 'tool', name: 'default/tool:run' },
      signers: { providers: [], problem: expect.stringMatching(/^No policy has spec\.jwt, so .* Write spec\.jwt/) },
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
    [[], /say what to read: -f <file or folder>, --server <host:port>, or --cluster/],
    [['-f', '-', '--server=127.0.0.1:1'], /read one of these/],
    [['--server=127.0.0.1:1', '--context=a'], /read one of these/],
    [['--cluster'], /say which cluster: --kubeconfig <file> or --context <name>/],
    [['-f', '-', '--claims={}', '--config=a.json'], /--config says whether a gateway accepts a token/],
    [['-f', '-', '--tool=a', '--prompt=b'], /ask for one thing/],
    [['-f', '-', '--claims={}', '--token=a'], /one of the two/],
    [['-f', '-', '--token=-'], /standard input is either the token or a manifest/],
    [['-f', '-'], /there is no Gateway: gatehouse check says what there is/],
  ])('says what to write instead of %j', async (args, message) => {
    const { code, stderr } = await cli(['explain', ...args]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
  });

  it('finds the target of a name without a namespace', async () => {
    const { stdout } = await cli(['check', '-'], {}, { input: world.replace('"default/tool:run"', '"tool:run"') });
    expect(stdout).toContain('No Service makes the target "tool": the nearest target is "default/tool".');
  });

  it('is about the only Gateway also when its class is misspelt', async () => {
    const misspelt = world.replace('gatewayClassName: mcp', 'gatewayClassName: mpc');
    expect((await linesFor(misspelt, me))[2]).toContain('there is no GatewayClass "mpc". The nearest class');
    const { code, stderr } = await explain(world.replace('kind: Gateway\n', 'kind: Gatewy\n'), '--claims={"sub":"me"}');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/there is no Gateway: .*\n.*kind is "Gatewy", which is not read: write "Gateway"/),
    });
  });

  it('asks for the Gateway when there are several', async () => {
    const { code, stderr } = await explain(together(world, mcpGateway('default/other')));
    expect(code).toBe(2);
    expect(stderr).toContain('say which of the 2 Gateways is called: --gateway, one of default/gw, default/other.');
  });
});
