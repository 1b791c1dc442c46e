import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CliRun, cli } from '../../support/processes/terminal.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import {
  gatewayWith,
  isSubject,
  mcpClass,
  mcpGateway,
  mcpPort,
  mcpService,
  namespace,
  openGateway,
  policy,
  policyWith,
  serviceWith,
  together,
} from '../../support/worlds/manifests.ts';

/** Checks one file by standard input. */
async function check(text: string, ...flags: readonly string[]): Promise<CliRun> {
  return cli(['check', ...flags, '-'], {}, { input: text });
}

async function linesOf(text: string): Promise<readonly string[]> {
  const { stdout } = await check(text);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.replace('<stdin>:', ''));
}

const rule = (name: string, kind = 'tool', match = isSubject('me')): string =>
  `[{ matches: [${match}], resource: { kind: ${kind}, name: ${name} } }]`;
const tool = mcpService('default/tool');
const gw = '[{ name: gw }]';
const claim = (name: string): string => `{ type: JWT, jwt: { claim: ${name}, value: a } }`;

/** A mistake that serving accepts without a word, and the lines of the answer. */
const silent: readonly (readonly [mistake: string, manifests: string, lines: readonly string[]])[] = [
  [
    'a target that no Service makes',
    together(openGateway, tool, policyWith('default/p', gw, rule('"default/tol:run"'))),
    [
      '19:129: warning: MCPAuthPolicy default/p spec.rules[0].resource.name: No Service makes the target "default/tol": the nearest target is "default/tool".',
    ],
  ],
  [
    'a target without anything near',
    together(openGateway, tool, policyWith('default/p', gw, rule('"red/elsewhere:run"'))),
    [
      '19:129: warning: MCPAuthPolicy default/p spec.rules[0].resource.name: No Service makes the target "red/elsewhere": a target is named after its Service, <namespace>/<service>. Create that Service, or correct the name.',
    ],
  ],
  [
    'a Service without appProtocol that a policy names',
    together(
      openGateway,
      serviceWith('default/tool', '{ ports: [{ port: 80 }] }'),
      policyWith('default/p', gw, rule('"default/tool:run"')),
    ),
    [
      '14:17: warning: Service default/tool spec.ports[0].appProtocol: Service default/tool makes no target: spec.ports[0] has no appProtocol. Write "appProtocol: kgateway.dev/mcp".',
    ],
  ],
  [
    'a misspelt appProtocol',
    together(openGateway, serviceWith('default/tool', '{ ports: [{ port: 80, appProtocol: kgateway.dev/mpc }] }')),
    [
      '14:29: warning: Service default/tool: spec.ports[0].appProtocol is "kgateway.dev/mpc", which makes no MCP target: write "kgateway.dev/mcp" if it is to be one.',
    ],
  ],
  [
    'a misspelt appProtocol of a Service that a policy names',
    together(
      openGateway,
      serviceWith('default/tool', '{ ports: [{ port: 80, appProtocol: kgateway.dev/mpc }] }'),
      policyWith('default/p', gw, rule('"default/tool:run"')),
    ),
    [
      '14:29: warning: Service default/tool: spec.ports[0].appProtocol is "kgateway.dev/mpc", which makes no MCP target: write "kgateway.dev/mcp" if it is to be one.',
    ],
  ],
  [
    'a misspelt appProtocol behind a port without one',
    together(
      openGateway,
      serviceWith('default/tool', '{ ports: [{ port: 80 }, { port: 81, appProtocol: kgateway.dev/mpc }] }'),
      policyWith('default/p', gw, rule('"default/tool:run"')),
    ),
    [
      '14:43: warning: Service default/tool: spec.ports[1].appProtocol is "kgateway.dev/mpc", which makes no MCP target: write "kgateway.dev/mcp" if it is to be one.',
    ],
  ],
  [
    'an appProtocol that only names the protocol',
    together(openGateway, serviceWith('default/tool', '{ ports: [{ port: 80, appProtocol: mcp }] }')),
    [
      '14:29: warning: Service default/tool: spec.ports[0].appProtocol is "mcp", which makes no MCP target: write "kgateway.dev/mcp" if it is to be one.',
    ],
  ],
  [
    'a Gateway that does not exist',
    together(openGateway, tool, policy('default/p', 'gv')),
    [
      '19:24: warning: MCPAuthPolicy default/p spec.targetRefs[0].name: There is no Gateway "gv" in the namespace "default": the nearest is "gw".',
    ],
  ],
  [
    'a Gateway of another namespace',
    together(mcpClass, mcpGateway('red/gw'), tool, policy('default/p', 'gw')),
    [
      '19:24: warning: MCPAuthPolicy default/p spec.targetRefs[0].name: There is no Gateway "gw" in the namespace "default", but in "red": a policy names Gateways of its own namespace only. Move it to "red".',
    ],
  ],
  [
    'a class that does not exist',
    together(
      mcpClass,
      mcpGateway('default/gw').replace('gatewayClassName: mcp', 'gatewayClassName: mpc'),
      tool,
      policy('default/p', 'gw'),
    ),
    [
      '9:9: warning: Gateway default/gw spec.gatewayClassName: Gateway default/gw is not served here: there is no GatewayClass "mpc". The nearest class of this controller is "mcp".',
      '19:24: warning: MCPAuthPolicy default/p spec.targetRefs[0].name: Gateway default/gw is not of this controller, so that this policy has no effect: correct the Gateway, or name another.',
    ],
  ],
  [
    'a misspelt controllerName',
    together(openGateway.replace('kgateway.dev/kgateway', 'kgateway.dev/kgatway'), tool),
    [
      '4:9: warning: GatewayClass mcp spec.controllerName: Gateway default/gw is not served here: the controllerName of its GatewayClass "mcp" is "kgateway.dev/kgatway", and here it is "kgateway.dev/kgateway". Correct it, if it is to be this one.',
    ],
  ],
  [
    'no class at all',
    together(mcpGateway('default/gw'), tool),
    [
      '4:9: warning: Gateway default/gw spec.gatewayClassName: Gateway default/gw is not served here: there is no GatewayClass "mcp". Write a GatewayClass with "controllerName: kgateway.dev/kgateway".',
    ],
  ],
  [
    'a misspelt kind',
    together(openGateway, tool, policy('default/p', 'gw').replace('MCPAuthPolicy', 'MCPAuthPolcy')),
    [
      '17:1: warning: kind is "MCPAuthPolcy", which is not read: write "MCPAuthPolicy", the nearest known one, if it is to count.',
    ],
  ],
  [
    'a misspelt apiVersion',
    together(openGateway, tool, policy('default/p', 'gw').replace('v1alpha1', 'v1alpha')),
    [
      '16:1: warning: MCPAuthPolicy default/p: apiVersion is "gateway.kgateway.dev/v1alpha", so that the object is skipped: write "gateway.kgateway.dev/v1alpha1" if it is to count.',
    ],
  ],
  [
    'a Namespace without the label of a selector',
    together(
      mcpClass,
      mcpGateway('default/gw', 'from: Selector, selector: { matchLabels: { team: red } }'),
      namespace('red', '{ taem: red }'),
      mcpService('red/tool'),
      policyWith('default/p', gw, rule('"red/tool:run"')),
    ),
    [
      '13:34: warning: Namespace red metadata.labels.taem: The listener "mcp" of Gateway default/gw does not select this Namespace, which has targets: its label is "taem=red". Write "team=red", if it is to be selected.',
      '23:129: warning: MCPAuthPolicy default/p spec.rules[0].resource.name: Gateway default/gw does not serve "red/tool": no listener allows the namespace "red"; the listener "mcp" would allow it if the Namespace "red" had the label team=red (it has "taem").',
    ],
  ],
  [
    'a selector that no Namespace with a target fits',
    together(
      mcpClass,
      mcpGateway('default/gw', 'from: Selector, selector: { matchLabels: { team: red } }'),
      mcpService('red/tool'),
    ),
    [
      '9:144: warning: Gateway default/gw spec.listeners[0].allowedRoutes.namespaces.selector: This selector selects no namespace that has a target: it would select "red" if that Namespace had the label team=red. Label the Namespace, or correct the selector.',
    ],
  ],
  [
    'a target of a namespace that no listener allows',
    together(
      mcpClass,
      mcpGateway('default/gw', 'from: Same'),
      mcpService('red/tool'),
      policyWith('default/p', gw, rule('"red/tool:run"')),
    ),
    [
      '19:129: warning: MCPAuthPolicy default/p spec.rules[0].resource.name: Gateway default/gw does not serve "red/tool": no listener allows the namespace "red"; the listener "mcp" allows the own namespace only, and would allow it with "from: All".',
    ],
  ],
  [
    'a blank at the end of a name',
    together(openGateway, tool, policyWith('default/p', gw, rule('"default/tool:run "'))),
    [
      '19:129: warning: MCPAuthPolicy default/p spec.rules[0].resource.name: There is a blank at an end of this name, which is compared exactly: remove it.',
    ],
  ],
  [
    'a blank at the end of a value',
    together(openGateway, tool, policyWith('default/p', gw, rule('"*"', 'tool', isSubject('"me "')))),
    [
      '19:89: warning: MCPAuthPolicy default/p spec.rules[0].matches[0].jwt.value: There is a blank at an end of this text, which is compared exactly: remove it.',
    ],
  ],
  [
    'a claim that looks nested',
    together(openGateway, tool, policyWith('default/p', gw, rule('"*"', 'tool', claim('realm_access.roles')))),
    [
      '19:77: warning: MCPAuthPolicy default/p spec.rules[0].matches[0].jwt.claim: "realm_access.roles" looks like a claim inside of another: only a claim of the token\'s top level matches, one whose name is all of this. Choose or issue such a claim.',
    ],
  ],
  [
    'a resource as clients see it',
    together(openGateway, tool, policyWith('default/p', gw, rule('"mcp://default/tool/file%3A%2F%2Fa"', 'resource'))),
    [
      '19:133: warning: MCPAuthPolicy default/p spec.rules[0].resource.name: This is the URI that clients see, and no rule matches it: write <target>:<upstream URI>, here "default/tool:file://a".',
    ],
  ],
  [
    'a resource without its target',
    together(openGateway, tool, policyWith('default/p', gw, rule('"file:///a"', 'resource'))),
    [
      '19:133: warning: MCPAuthPolicy default/p spec.rules[0].resource.name: This begins with "file", which is no target: a rule for a resource has <target>:<upstream URI>.',
    ],
  ],
  [
    'the short name of a Service with two MCP ports',
    together(
      openGateway,
      serviceWith('default/tool', `{ ports: [${mcpPort(80)}, ${mcpPort(81)}] }`),
      policyWith('default/p', gw, rule('"default/tool:run"')),
    ),
    [
      '19:129: warning: MCPAuthPolicy default/p spec.rules[0].resource.name: Service default/tool has 2 MCP ports, and "default/tool" is the first of them only: a further one is "default/tool/<port>".',
    ],
  ],
];

describe('a silent mistake', () => {
  it.each(silent)('is told: %s', async (_mistake, manifests, lines) => {
    expect((await linesOf(manifests)).slice(0, -1)).toEqual(lines);
  });
});

describe('check', () => {
  it('says how much there is, and exits with 0 when nothing is wrong', async () => {
    const good = together(openGateway, tool, policy('default/p', 'gw'));
    expect(await check(good)).toEqual({
      code: 0,
      stdout: '1 Gateway, 1 target, 1 policy; 0 errors, 0 warnings\n',
      stderr: '',
    });
    expect((await check('')).stdout).toBe('0 Gateways, 0 targets, 0 policies; 0 errors, 0 warnings\n');
  });

  it('exits with 1 for an error, and for a warning when it is strict', async () => {
    const warned = together(openGateway, policy('default/p', 'gv'));
    expect((await check(warned)).code).toBe(0);
    expect((await check(warned, '--strict')).code).toBe(1);
    expect((await check(policy('default/p', 'gw', '5'))).code).toBe(1);
    expect((await check('a: [')).code).toBe(1);
  });

  it.each([
    [
      'a loopback address',
      'clusterIP',
      mcpService('default/tool', '127.0.0.1'),
      /spec\.clusterIP 127\.0\.0\.1 is the gateway's own/,
    ],
    [
      'listeners on one port',
      'a conflict',
      gatewayWith('default/gw', `[${mcpListener('a')}, ${mcpListener('b')}]`),
      /share port 80/,
    ],
    [
      'a section',
      'sectionName',
      policyWith('default/p', '[{ name: gw, sectionName: a }]', '[]'),
      /sectionName is not supported/,
    ],
  ])('reports %s as an error, as its status does (%s)', async (_what, _field, text, message) => {
    const { code, stdout } = await check(
      together(mcpClass, text, ...(text.includes('kind: Gateway') ? [] : [mcpGateway('default/gw')])),
    );
    expect(stdout).toMatch(message);
    expect(stdout).toContain('error');
    expect(code).toBe(1);
  });

  it('reports a decoded problem once, although a status repeats it', async () => {
    const { stdout } = await check(together(openGateway, policyWith('default/p', gw, rule('run'))));
    expect(stdout.match(/spec\.rules\[0\]\.resource\.name/g)?.length).toBe(1);
  });
});

describe('the input of check', () => {
  it('ignores a Gateway of another controller that nothing here refers to', async () => {
    const theirs = mcpClass.replace('kgateway.dev/kgateway', 'example.com/theirs');
    const other = gatewayWith('default/web', '[{ name: web, port: 80, protocol: HTTP }]');
    expect((await check(together(theirs, other))).stdout).toContain('0 errors, 0 warnings');
  });

  it('reads files and folders in their order', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'a.yaml'), together(mcpClass, tool));
    writeFileSync(join(folder, 'b.json'), '{');
    const file = join(temporaryFolder(), 'gateway.yaml');
    writeFileSync(file, mcpGateway('default/gw', 'from: Sam'));
    const { code, stdout } = await cli(['check', folder, file]);
    expect(stdout).toContain(`${folder}/b.json:1:2: error: This is no YAML`);
    expect(stdout).toContain(`${file}:5:`);
    expect(code).toBe(1);
  });

  it('fails with 3 when a file is missing, and with 2 when none is named', async () => {
    const missing = await cli(['check', '/nowhere/to/be/found.yaml']);
    expect(missing).toMatchObject({ code: 3, stdout: '' });
    expect(missing.stderr).toMatch(/found\.yaml does not exist: name files or folders/);
    expect(await cli(['check'])).toMatchObject({ code: 2, stderr: expect.stringContaining('say what to check') });
    expect(await cli(['check', '-o', 'xml', '-'])).toMatchObject({ code: 2 });
  });
});

describe('the output of check', () => {
  it('writes a document of stable form', async () => {
    const { code, stdout } = await check(together(openGateway, policy('default/p', 'gv')), '-o', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      gateways: 1,
      targets: 0,
      policies: 1,
      errors: 0,
      warnings: 1,
      diagnostics: [
        {
          severity: 'warning',
          file: '<stdin>',
          line: 14,
          column: 24,
          object: 'MCPAuthPolicy default/p',
          field: 'spec.targetRefs[0].name',
          message: 'There is no Gateway "gv" in the namespace "default": the nearest is "gw".',
        },
      ],
    });
  });

  it('writes annotations of a workflow, in which nothing can begin another command', async () => {
    const { stdout } = await check(together(openGateway, policy('default/p', 'gv')), '-o', 'github');
    expect(stdout.split('\n')[0]).toBe(
      '::warning file=<stdin>,line=14,col=24::MCPAuthPolicy default/p spec.targetRefs[0].name: There is no Gateway "gv" in the namespace "default": the nearest is "gw".',
    );
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'a,b%\n::error::c.yaml'), '[');
    const hostile = await cli(['check', '-o', 'github', folder]);
    expect(hostile.stdout.split('\n').filter((line) => line.startsWith('::'))).toEqual([
      expect.stringMatching(/^::error file=.*a%2Cb%25\\n%3A%3Aerror%3A%3Ac\.yaml",line=1,col=2::This is no YAML/),
    ]);
  });

  it('shows the line with a caret and colours on a terminal only', async () => {
    const manifests = together(openGateway, policy('default/p', 'gv'));
    const plain = await check(manifests);
    expect(plain.stdout).not.toMatch(/[\p{Cc}--\n]|\^/v);
    const args = ['check', '-'];
    const coloured = await cli(args, {}, { input: manifests, isTTY: true });
    expect(coloured.stdout).toContain('\u001b[33mwarning');
    const { stdout } = await cli(args, { NO_COLOR: '1' }, { input: manifests, isTTY: true });
    const [, line = '', caret = ''] = stdout.split('\n');
    expect(line).toMatch(/^ {3}14 \| spec: \{ targetRefs: \[\{ name: gv \}\]/);
    expect(line.slice(caret.indexOf('^'), caret.indexOf('^') + 8)).toBe('name: gv');
    expect(stdout).not.toContain('\u001b');
  });

  it('lists a thousand problems and counts the others', async () => {
    const policies = Array.from({ length: 1100 }, (_, n) =>
      policy(`default/p${n}`, 'gw').replace('value: me', 'value: 5'),
    );
    const hinted = Array.from({ length: 1100 }, (_, n) => policy(`default/q${n}`, 'gone'));
    const { stdout } = await check(together(openGateway, ...policies.slice(0, 60), ...hinted));
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBe(1001);
    expect(lines.at(-1)).toMatch(/60 errors, 1100 warnings \(160 of them not shown\)/);
    expect(lines.filter((line) => line.includes(': error: ')).length).toBe(60);
  });
});

function mcpListener(name: string): string {
  return `{ name: ${name}, port: 80, protocol: kgateway.dev/mcp }`;
}
