import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { DiscoveryResponse } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { type CliRun, cli, cliBytes } from '../../support/processes/terminal.ts';
import { createFreshWorld } from '../../support/worlds/fresh-world.ts';
import { mcpClass, mcpGateway, mcpService, policyWith, together } from '../../support/worlds/manifests.ts';
import { gw, rule, tool, world } from './explain-rig.ts';

async function translate(text: string, ...args: readonly string[]): Promise<CliRun> {
  return cli(['translate', '-', ...args], {}, { input: text });
}

describe('translate', () => {
  it('shows what a gateway is sent, and how objects are judged, as YAML', async () => {
    const { code, stdout, stderr } = await translate(world);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const document: unknown = parse(stdout);
    expect(document).toMatchObject({
      version: 1,
      gateways: [
        {
          gateway: 'default/gw',
          types: [
            {
              typeUrl: 'type.googleapis.com/mcp.kgateway.dev.rbac.v1alpha1.Config',
              dialect: 'mcp.kgateway.dev',
              resources: [
                {
                  name: 'default.p',
                  resource: {
                    name: 'p',
                    namespace: 'default',
                    rules: [
                      {
                        key: 'sub',
                        value: 'me',
                        matcher: 'EQUALS',
                        resource: { id: 'default/tool:run', type: 'TOOL' },
                      },
                    ],
                  },
                },
              ],
            },
            { resources: [{ name: 'default/tool', resource: { host: '10.0.0.1', port: 80 } }] },
          ],
        },
      ],
      statuses: {
        gateways: [{ kind: 'Gateway', name: 'gw' }],
        policies: [{ kind: 'MCPAuthPolicy', name: 'p' }],
      },
    });
  });

  it('shows the same as JSON', async () => {
    expect(JSON.parse((await translate(world, '-o', 'json')).stdout)).toEqual(parse((await translate(world)).stdout));
  });

  it('shows the same whatever the order of the objects is', async () => {
    const policies = ['a', 'b'].map((name) => policyWith(`default/${name}`, gw, `[${rule('"*"')}]`));
    const documents = [
      mcpClass,
      mcpGateway('default/gw'),
      mcpGateway('default/aa'),
      tool,
      mcpService('a/b'),
      ...policies,
    ];
    expect((await translate(together(...documents.toReversed()))).stdout).toBe(
      (await translate(together(...documents))).stdout,
    );
  });

  it('writes the bytes of the responses, each after its length', async () => {
    const bytes = await cliBytes(['translate', '-', '-o', 'binary'], { input: world });
    const responses = delimited(bytes).map((bytes) => DiscoveryResponse.decode(bytes));
    const { pipeline } = createFreshWorld({ 'world.yaml': world });
    const views = [...pipeline.snapshots.of('default/gw').views.values()];
    expect(responses.map(({ typeUrl, versionInfo, resources }) => [typeUrl, versionInfo, resources.length])).toEqual(
      views.map((view) => [view.type.typeUrl, view.version(), view.size]),
    );
    const sent = views.flatMap((view) =>
      [...view.resources()].map(({ sotwField }) => DiscoveryResponse.decode(sotwField)),
    );
    expect(responses.flatMap(({ resources }) => resources)).toEqual(sent.flatMap(({ resources }) => resources));
  });
});

describe('translate and its flags', () => {
  it('shows one Gateway, and one dialect', async () => {
    const two = together(world, mcpGateway('default/other'));
    const one: unknown = parse((await translate(two, '--gateway=other')).stdout);
    expect(one).toMatchObject({ gateways: [{ gateway: 'default/other' }] });
    expect((await translate(world, '--dialect=mcp.kgateway.dev')).stdout).toBe((await translate(world)).stdout);
  });

  it('says that something invalid is left out, beside the result', async () => {
    const { code, stdout, stderr } = await translate(
      together(world, 'kind: Gateway\napiVersion: gateway.networking.k8s.io/v1'),
    );
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'note: The input has an error, and what is invalid is left out: gatehouse check lists them.\n',
    });
    expect(stdout).toContain('gateway: default/gw');
  });

  it('of nothing is an empty document', async () => {
    expect(parse((await translate('')).stdout)).toMatchObject({ version: 1, gateways: [], statuses: { gateways: [] } });
  });

  it.each([
    [['translate'], /say what to translate: files or folders/],
    [['translate', '-', '--diff', '-'], /standard input is read once/],
    [['translate', '-', '--exit-code'], /name the changed files with --diff/],
    [['translate', '-', '-o', 'text'], /--output is one of yaml, json, binary/],
    [['translate', '-', '--diff', 'src', '-o', 'binary'], /--output is one of text, yaml, json/],
    [['translate', '-', '--diff', 'src/cli', '--dialect=mcp.kgateway.dev'], /the same in every dialect/],
    [['translate', '-', '--dialect=mpc'], /--dialect is one of mcp\.kgateway\.dev, not "mpc"/],
    [['translate', '-', '--gateway=default/gv'], /There is no Gateway "default\/gv"\. The nearest is default\/gw/],
  ])('says what to write instead of %j', async (args, message) => {
    const { code, stdout, stderr } = await cli(args, {}, { input: world });
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
  });

  it('writes no binary to a terminal', async () => {
    const { code, stderr } = await cli(['translate', '-', '-o', 'binary'], {}, { isTTY: true });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('is for a file or a pipe') });
  });
});

/** Messages that stand after their lengths. */
function delimited(bytes: Buffer): readonly Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    let [length, shift] = [0, 0];
    for (;;) {
      const byte = bytes.readUInt8(at);
      at += 1;
      length += (byte & 0x7f) * 2 ** shift;
      shift += 7;
      if (byte < 0x80) break;
    }
    messages.push(bytes.subarray(at, at + length));
    at += length;
  }
  return messages;
}
