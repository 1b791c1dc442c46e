import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EverythingServer, startEverything } from '../support/gateway/everything-server.ts';
import { type Inspection, inspect } from '../support/gateway/inspector.ts';
import { guideToken } from '../support/processes/guide.ts';
import { type GuidePrograms, startGuide } from '../support/processes/guide-programs.ts';
import { policy, serviceWith } from '../support/worlds/manifests.ts';

/** The guide's manifests unchanged, three processes, and clients of other vendors. */
const tool = 'default/mcp-tool:convert_to_markdown';
const uri = 'data:text/html,<h1>We the People</h1>';

let http: EverythingServer;
let sse: EverythingServer;
let guide: GuidePrograms;
let clients: readonly Client[];

beforeAll(async () => {
  [http, sse] = await Promise.all([startEverything('streamableHttp'), startEverything('sse')]);
  guide = await startGuide([
    `everything.default.svc.cluster.local:80=127.0.0.1:${http.target('').port}`,
    `everything-sse.default.svc.cluster.local:80=127.0.0.1:${sse.target('').port}`,
  ]);
  clients = await Promise.all([guide.connect('/sse'), guide.connect('/mcp')]);
}, 60_000);
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await Promise.all([guide, http, sse].map((program) => program[Symbol.asyncDispose]()));
});

async function expectDenied(name: string, args: Readonly<Record<string, unknown>>): Promise<void> {
  for (const client of clients) await expect(client.callTool({ name, arguments: args })).rejects.toThrow('not allowed');
}

async function expectText(name: string, args: Readonly<Record<string, unknown>>, text: string): Promise<void> {
  for (const client of clients) {
    const { content } = await client.callTool({ name, arguments: args });
    expect(content).toEqual([{ type: 'text', text: expect.stringContaining(text) }]);
  }
}

const inspectors = ['sse', 'http'] as const;

/** The Inspector's output at both endpoints. */
function inspected(...args: readonly string[]): Promise<readonly Inspection[]> {
  const token = ['--header', `Authorization: Bearer ${guideToken}`];
  const urls = { sse: `${guide.url}/sse`, http: `${guide.url}/mcp` };
  return Promise.all(inspectors.map((wire) => inspect(urls[wire], ['--transport', wire, ...token, ...args])));
}

const inspectorCall = ['--method', 'tools/call', '--tool-name', tool, '--tool-arg', `uri=${uri}`];

describe('the guide', () => {
  it('lists the tool and denies calls without a policy', { timeout: 60_000 }, async () => {
    for (const client of clients) expect((await client.listTools()).tools.map(({ name }) => name)).toEqual([tool]);
    await expectDenied(tool, { uri });
    for (const { output } of await inspected('--method', 'tools/list')) expect(JSON.stringify(output)).toContain(tool);
    for (const { code, output } of await inspected(...inspectorCall)) {
      expect(code).not.toBe(0);
      expect(JSON.stringify(output)).toContain('not allowed');
    }
  });

  it('allows calls when the policy is added', { timeout: 60_000 }, async () => {
    await guide.addPolicy();
    await expectText(tool, { uri }, '# We the People');
    for (const { code, output } of await inspected(...inspectorCall)) {
      expect(code).toBe(0);
      expect(JSON.stringify(output)).toContain('# We the People');
    }
  });

  it('denies calls in open sessions when the policy is removed', async () => {
    await guide.removePolicy();
    await expectDenied(tool, { uri });
  });

  it('denies calls when the policy is removed while the control plane is down', { timeout: 60_000 }, async () => {
    await guide.addPolicy();
    await guide.whileControlPlaneIsDown(async () => {
      await expectText(tool, { uri }, '# We the People');
      await guide.deletePolicyFile();
    });
    await expectDenied(tool, { uri });
  });

  it('refuses clients without a valid token', async () => {
    for (const header of [[], ['--header', 'Authorization: Bearer no']]) {
      const { code, output } = await inspect(`${guide.url}/mcp`, [
        '--transport',
        'http',
        ...header,
        '--method',
        'tools/list',
      ]);
      expect(code).toBe(3);
      expect(JSON.stringify(output)).toContain('auth_required');
    }
  });
});

describe('a second server, somebody else’s', () => {
  it.each([
    ['over Streamable HTTP', 'everything', '/mcp'],
    ['over HTTP+SSE', 'everything-sse', '/sse'],
  ])('joins %s when its Service appears, and obeys the policies', { timeout: 60_000 }, async (_, name, path) => {
    const echo = `default/${name}:echo`;
    const annotations = `annotations: { kgateway.dev/mcp-path: ${path} }`;
    const spec = '{ ports: [{ port: 80, appProtocol: kgateway.dev/mcp }] }';
    await guide.write({ [`${name}.yaml`]: serviceWith(`default/${name}`, spec, annotations) });
    for (const client of clients) {
      const { tools } = await client.listTools();
      expect(tools.map((listed) => listed.name)).toEqual(expect.arrayContaining([tool, echo]));
    }
    await expectDenied(echo, { message: 'hi' });

    await guide.write({
      [`${name}-policy.yaml`]: policy(`default/${name}`, 'mcp-gateway', 'me', `{ kind: tool, name: "${echo}" }`),
    });
    await expectText(echo, { message: 'hi' }, 'Echo: hi');
    await expectDenied(`default/${name}:get-env`, {});
    await expectDenied(tool, { uri });
  });
});
