import { describe, expect, it } from 'vitest';
import { cli } from '../support/processes/terminal.ts';
import {
  mcpClass,
  mcpGateway,
  mcpService,
  namespace,
  openGateway,
  policy,
  policyWith,
  serviceWith,
  together,
} from '../support/worlds/manifests.ts';
import { startWorld } from '../support/worlds/running-world.ts';

/** A mistake that is valid, so that serving accepts it: what everybody who looks is told. */
interface Mistake {
  readonly manifests: string;
  /** In the words of `check`, of the log and of the problems on the page, with the remedy. */
  readonly told: string;
  /** In the words of `explain`, about a call that was meant to be allowed. */
  readonly explained: string;
  readonly claims?: object;
  readonly tool?: string;
}

const tool = mcpService('default/tool');
const run = '{ kind: tool, name: "default/tool:run" }';
const rules = policy('default/p', 'gw', 'me', run);
const good = together(openGateway, tool, rules);
const nested = '{ type: JWT, jwt: { claim: realm_access.role, value: a } }';
const classless =
  'Gateway default/gw is not served here: there is no GatewayClass "mpc". The nearest class of this controller is "mcp".';
const ofAnother =
  'the controllerName of its GatewayClass "mcp" is "kgateway.dev/kgatway", and here it is "kgateway.dev/kgateway". Correct it, if it is to be this one.';
const unread = 'kind is "MCPAuthPolcy", which is not read: write "MCPAuthPolicy", the nearest known one';

const mistakes: Readonly<Record<string, Mistake>> = {
  'a claim that no token has at its top level': {
    manifests: together(
      openGateway,
      tool,
      policyWith('default/p', '[{ name: gw }]', `[{ matches: [${nested}], resource: ${run} }]`),
    ),
    told: '"realm_access.role" looks like a claim inside of another: only a claim of the token\'s top level matches',
    claims: { realm_access: { role: 'a' } },
    explained: 'needs the claim "realm_access.role" with the value "a". That of the caller is nested in the token',
  },
  'a tool of a target that does not exist': {
    manifests: together(openGateway, tool, policy('default/p', 'gw', 'me', run.replace('tool:', 'tol:'))),
    told: 'No Service makes the target "default/tol": the nearest target is "default/tool".',
    explained: 'matches the caller, but the rule is for the tool "default/tol:run".',
  },
  'a target whose Service is in another namespace': {
    manifests: together(openGateway, mcpService('elsewhere/tool'), rules),
    told: 'No Service makes the target "default/tool": the nearest target is "elsewhere/tool".',
    explained: 'No Service makes the target "default/tool": the nearest target is "elsewhere/tool".',
  },
  'no appProtocol': {
    manifests: together(openGateway, serviceWith('default/tool', '{ ports: [{ port: 80 }] }'), rules),
    told: 'makes no target: spec.ports[0] has no appProtocol. Write "appProtocol: kgateway.dev/mcp".',
    explained: 'makes no target: spec.ports[0] has no appProtocol. Write "appProtocol: kgateway.dev/mcp".',
  },
  'a mistyped appProtocol': {
    manifests: good.replace('appProtocol: kgateway.dev/mcp', 'appProtocol: kgateway.dev/mpc'),
    told: 'spec.ports[0].appProtocol is "kgateway.dev/mpc", which makes no MCP target: write "kgateway.dev/mcp"',
    explained: 'spec.ports[0].appProtocol is "kgateway.dev/mpc", which does not say MCP. Write "kgateway.dev/mcp".',
  },
  'a mistyped class': {
    manifests: good.replace('gatewayClassName: mcp', 'gatewayClassName: mpc'),
    told: classless,
    explained: classless,
  },
  'another controllerName': {
    manifests: good.replace('kgateway.dev/kgateway', 'kgateway.dev/kgatway'),
    told: ofAnother,
    explained: ofAnother,
  },
  'a mistyped kind': {
    manifests: good.replace('MCPAuthPolicy', 'MCPAuthPolcy'),
    told: unread,
    explained: unread,
  },
  'a Namespace without the label': {
    manifests: together(
      mcpClass,
      mcpGateway('default/gw', 'from: Selector, selector: { matchLabels: { team: red } }'),
      namespace('red', '{ taem: red }'),
      mcpService('red/tool'),
      policy('default/p', 'gw', 'me', run.replace('default/', 'red/')),
    ),
    told: 'does not select this Namespace, which has targets: its label is "taem=red". Write "team=red"',
    tool: 'red/tool:run',
    explained: 'would allow it if the Namespace "red" had the label team=red (it has "taem").',
  },
};

describe.each(Object.entries(mistakes))(
  '%s',
  (_, { manifests, told, explained, claims = { sub: 'me' }, tool: name }) => {
    const asked = [
      '--gateway=default/gw',
      `--claims=${JSON.stringify(claims)}`,
      `--tool=${name ?? 'default/tool:run'}`,
    ];

    it('is told by check', async () => {
      expect((await cli(['check', '-'], {}, { input: manifests })).stdout).toContain(told);
    });

    it('is told by explain from files', async () => {
      const { stdout } = await cli(['explain', '-f', '-', ...asked], {}, { input: manifests });
      expect(stdout).toContain(explained);
    });

    it('is told by the log, on the page, and by explain of a running control plane', async () => {
      await using world = await startWorld({ 'a.yaml': manifests });
      expect(await world.log.line(told)).toMatchObject({
        level: 'warn',
        fields: { place: expect.stringMatching(/a\.yaml:\d+:\d+$/) },
      });
      const { items } = JSON.parse((await world.get('debug', '/debug/problems')).body) as {
        readonly items: readonly object[];
      };
      expect(items).toContainEqual(
        expect.objectContaining({
          message: expect.stringContaining(told),
          place: expect.stringMatching(/a\.yaml:\d+:\d+$/),
        }),
      );
      const { host, port } = world.app.listening.debug;
      const { stdout } = await cli(['explain', `--server=${host}:${port}`, ...asked]);
      expect(stdout).toContain(explained);
    });
  },
);

it('a policy on a Gateway of a mistyped class stays in the picture of that Gateway, with the reason', async () => {
  await using world = await startWorld({ 'a.yaml': good.replace('gatewayClassName: mcp', 'gatewayClassName: mpc') });
  const read = async (path: string): Promise<unknown> => JSON.parse((await world.get('debug', path)).body);
  const noEffect = expect.stringContaining('is not of this controller, so that this policy has no effect');
  expect(await read('/debug/graph?gateway=default/gw')).toMatchObject({
    state: 'foreign',
    message: classless,
    policies: { total: 1, items: [{ policy: 'default/p', attached: false, message: noEffect }] },
  });
  expect(await read('/debug/object?kind=MCPAuthPolicy&key=default/p')).toMatchObject({
    conditions: [{ reason: 'ForeignGateway', status: 'False', message: noEffect }],
  });
});
