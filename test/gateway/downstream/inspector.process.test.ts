import { describe, expect, it } from 'vitest';
import { startGateway } from '../../support/gateway/gateway-rig.ts';
import { inspect } from '../../support/gateway/inspector.ts';
import { startRawTarget } from '../../support/gateway/raw-target.ts';

const tool = { name: 'echo', inputSchema: { type: 'object', properties: { message: { type: 'string' } } } };

describe.each([
  ['/sse', ['--transport', 'sse']],
  ['/mcp', ['--transport', 'http']],
  ['/mcp', ['--transport', 'http', '--protocol-era', 'auto']],
] as const)('the Inspector at %s with %j', (path, flags) => {
  it('lists the tool, is denied the call, and then allowed by a rule', { timeout: 60_000 }, async () => {
    await using target = await startRawTarget(({ method, params }) =>
      method === 'tools/list'
        ? { result: { tools: [tool] } }
        : { result: { content: [{ type: 'text', text: JSON.stringify(params['arguments']) }] } },
    );
    await using gateway = await startGateway();
    gateway.config.putTarget(target.target('default/mcp-tool'));
    const url = gateway.url + path;
    const token = ['--header', `Authorization: Bearer ${gateway.token('me')}`];
    const call = ['--method', 'tools/call', '--tool-name', 'default/mcp-tool:echo', '--tool-arg', 'message=hi'];

    const [stranger, list, denied] = await Promise.all([
      inspect(url, [...flags, '--method', 'tools/list']),
      inspect(url, [...flags, ...token, '--method', 'tools/list']),
      inspect(url, [...flags, ...token, ...call]),
    ]);
    expect(stranger).toMatchObject({ code: 3, output: { error: { code: 'auth_required' } } });
    expect(JSON.stringify(list.output)).toContain('default/mcp-tool:echo');
    expect(JSON.stringify(denied.output)).toContain('not allowed');
    expect(denied.code).not.toBe(0);

    gateway.config.allow('default.policy', 'me', 'tool', 'default/mcp-tool:echo');
    const allowed = await inspect(url, [...flags, ...token, ...call]);
    expect(allowed.code).toBe(0);
    expect(JSON.stringify(allowed.output)).toContain(String.raw`{\"message\":\"hi\"}`);
  });
});
