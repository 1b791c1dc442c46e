import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type CliRun, cli } from '../../support/processes/terminal.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import {
  mcpClass,
  mcpGateway,
  mcpService,
  namespace,
  openGateway,
  policyWith,
  together,
} from '../../support/worlds/manifests.ts';
import { gw, rule, tool, world } from './explain-rig.ts';

function file(text: string): string {
  const path = join(temporaryFolder(), 'world.yaml');
  writeFileSync(path, text);
  return path;
}

/** Compares two texts; places are shown without their files. */
async function diff(before: string, after: string, ...flags: readonly string[]): Promise<CliRun> {
  const run = await cli(['translate', file(before), '--diff', file(after), ...flags]);
  return { ...run, stdout: run.stdout.replace(/\/[^ ]*\/world\.yaml:/g, '') };
}

const policyOf = (...rules: readonly string[]): string => policyWith('default/p', gw, `[${rules.join(', ')}]`);

describe('translate --diff', () => {
  it('says whose access a change of a policy widens, and by which rule', async () => {
    const before = together(openGateway, tool, policyOf(rule('"default/tool:run"')));
    const after = together(
      openGateway,
      tool,
      policyOf(rule('"default/tool:run"'), rule('"default/tool:other"'), rule('"*"', 'prompt')),
    );
    const { code, stdout } = await diff(before, after, '--exit-code');
    expect(code).toBe(1);
    expect(stdout.split('\n')).toEqual([
      'access gained:',
      '  + callers whose "sub" is "me" may now call the tool "default/tool:other" on Gateway default/gw',
      expect.stringMatching(/^ {6}by MCPAuthPolicy default\/p spec\.rules\[1\]\.matches\[0\] \(\d+:\d+\)$/),
      '  + callers whose "sub" is "me" may now get every prompt of every target on Gateway default/gw',
      expect.stringMatching(/spec\.rules\[2\]/),
      'access widens: 2 gained, 0 lost; 0 changes of targets',
      '',
    ]);
  });

  it('says what is lost, which is no reason to fail', async () => {
    const before = together(openGateway, tool, policyOf(rule('"*"'), rule('"default/tool:run"')));
    const { code, stdout } = await diff(
      before,
      together(openGateway, tool, policyOf(rule('"default/tool:run"'))),
      '--exit-code',
    );
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'access lost:',
      '  - callers whose "sub" is "me" may no longer call every tool of every target on Gateway default/gw',
      expect.stringMatching(/spec\.rules\[0\]\.matches\[0\]/),
      'access does not widen: 0 gained, 1 lost; 0 changes of targets',
      '',
    ]);
  });

  it('says that a rule of old reaches a target that is new', async () => {
    const before = together(openGateway, tool, policyOf(rule('"*"'), rule('"red/tool:run"', 'prompt')));
    const { stdout } = await diff(before, together(before, mcpService('red/tool', '10.0.0.2')));
    expect(stdout.split('\n').filter((line) => /^ {2}\S/.test(line))).toEqual([
      '  + red/tool (10.0.0.2:80)',
      '  + callers whose "sub" is "me" may now call every tool of "red/tool" on Gateway default/gw',
      '  + callers whose "sub" is "me" may now get the prompt "red/tool:run" on Gateway default/gw',
    ]);
  });
});

describe('a change of targets and Gateways', () => {
  it('says that a label of a Namespace opens it to a Gateway', async () => {
    const selected = 'from: Selector, selector: { matchLabels: { team: red } }';
    const parts = [
      mcpClass,
      mcpGateway('default/gw', selected),
      mcpService('red/tool'),
      policyOf(rule('"red/tool:run"')),
    ];
    const { code, stdout } = await diff(
      together(...parts, namespace('red')),
      together(...parts, namespace('red', '{ team: red }')),
      '--exit-code',
    );
    expect(code).toBe(1);
    expect(stdout).toContain('targets of Gateway default/gw:\n  + red/tool (10.0.0.1:80)');
    expect(stdout).toContain('may now call the tool "red/tool:run"');
  });

  it('shows targets that are removed, and addresses that change', async () => {
    const before = together(openGateway, tool, mcpService('red/tool'));
    const { stdout } = await diff(before, together(openGateway, mcpService('default/tool', '10.0.0.9')));
    expect(stdout.split('\n')).toEqual([
      'targets of Gateway default/gw:',
      '  ~ default/tool (10.0.0.1:80 becomes 10.0.0.9:80)',
      '  - red/tool (10.0.0.1:80)',
      'access does not widen: 0 gained, 0 lost; 2 changes of targets',
      '',
    ]);
  });

  it('says of a rule for a target that does not exist yet when it will count', async () => {
    const { stdout } = await diff(openGateway, together(openGateway, policyOf(rule('"red/tool:run"'))));
    expect(stdout).toContain(
      'may now call the tool "red/tool:run" on Gateway default/gw, when the Gateway serves that target',
    );
  });

  it('says that other signers may count, also when only the address of their keys differs', async () => {
    const signedBy = (uri: string): string =>
      `{ providers: [{ issuer: "https://a.example", jwks: { uri: "${uri}" } }] }`;
    const withJwt = (jwt: string): string =>
      together(openGateway, policyOf(rule('"*"')).replace('spec: {', `spec: { jwt: ${jwt},`));
    const before = withJwt(signedBy('https://a.example/keys'));
    const { code, stdout } = await diff(before, withJwt(signedBy('https://b.example/keys')), '--exit-code');
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: `who may sign tokens:
  + other tokens than before may be accepted on Gateway default/gw: policies name "https://a.example"
access widens: 0 gained, 0 lost; 0 changes of targets; 1 of signers
`,
    });
    expect((await diff(before, before, '--exit-code')).code).toBe(0);
    expect((await diff(before, together(openGateway, policyOf(rule('"*"'))), '--exit-code')).code).toBe(0);
  });

  it('of a Gateway that becomes ours is all that it allows', async () => {
    const foreign = together(mcpGateway('default/gw'), tool, policyOf(rule('"*"')));
    const { code, stdout } = await diff(foreign, together(foreign, mcpClass), '--exit-code');
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: expect.stringContaining('may now call every tool of every target'),
    });
  });
});

describe('the document of a change', () => {
  it('is empty when only the order of rules differs, or an equal policy is added', async () => {
    const rules = [rule('"default/tool:run"'), rule('"default/tool:other"')];
    const after = together(
      openGateway,
      tool,
      policyOf(...rules.toReversed()),
      policyWith('default/again', gw, `[${rules[0]}]`),
    );
    const { code, stdout } = await diff(together(openGateway, tool, policyOf(...rules)), after, '--exit-code');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'nothing changes for any gateway\n' });
  });

  it('writes a document of stable form', async () => {
    const { stdout } = await diff(together(openGateway, tool), world, '-o', 'json');
    const document: unknown = JSON.parse(stdout);
    expect(document).toMatchObject({
      version: 1,
      widens: true,
      totals: { targets: 0, gained: 1, lost: 0, signers: 0 },
      targets: [],
      gained: [
        {
          gateway: 'default/gw',
          claim: 'sub',
          value: 'me',
          kind: 'tool',
          name: 'default/tool:run',
          message: 'callers whose "sub" is "me" may now call the tool "default/tool:run" on Gateway default/gw',
          by: { policy: 'default/p', rule: 0, match: 0 },
          place: expect.stringMatching(/^\d+:\d+$/),
        },
      ],
      lost: [],
    });
    expect(parse((await diff(together(openGateway, tool), world, '-o', 'yaml')).stdout)).toEqual(document);
  });

  it('says on which side something is left out', async () => {
    const { stderr } = await diff(together(world, 'kind: Gateway\napiVersion: gateway.networking.k8s.io/v1'), world);
    expect(stderr).toMatch(/^note: before: The input has an error/);
  });
});
