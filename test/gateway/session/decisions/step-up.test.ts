import { describe, expect, it, onTestFinished } from 'vitest';
import type { ListMode } from '../../../../src/gateway/model.ts';
import { startTargetRig, type TargetRig } from '../../../support/gateway/target-rig.ts';

type Json = Readonly<Record<string, unknown>>;

/** What a POST is answered with: the status, the challenge, and the message of the error. */
type Answer = readonly [status: number, challenge: string | null, error: unknown];

interface Rig {
  readonly rig: TargetRig;
  /** Sends a request of a caller with these claims, without a session or with one. */
  post(method: string, params: Json, claims?: Json, era?: 'session' | 'none'): Promise<Answer>;
}

async function startRig(list: ListMode = 'all'): Promise<Rig> {
  const rig = await startTargetRig(() => ({ result: { content: [] } }), { name: 'ns/t', list });
  onTestFinished(() => rig[Symbol.asyncDispose]());
  const session = await rig.open();
  return {
    rig,
    async post(method, params, claims = { scope: 'mcp:use' }, era = 'session') {
      const meta = {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': {},
      };
      const stateless = {
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
        'mcp-name': String(params['name']),
      };
      const response = await fetch(`${rig.gateway.url}/mcp`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${rig.gateway.token('me', undefined, 'me', claims)}`,
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
          ...(era === 'none' ? stateless : { 'mcp-session-id': session.sessionId }),
        },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 9,
          method,
          params: era === 'none' ? { ...params, _meta: meta } : params,
        }),
      });
      const [, message] = /"message":"([^"]*)"/.exec(await response.text()) ?? [];
      return [response.status, response.headers.get('www-authenticate'), message];
    },
  };
}

const challenged = (scope: string): Answer => [
  403,
  `Bearer error="insufficient_scope", scope="${scope}"`,
  `The token lacks the scope ${scope}`,
];

describe('a request that only lacks a scope', () => {
  it.each<[string, Json, 'tool' | 'prompt' | 'resource']>([
    ['tools/call', { name: 'ns/t:x' }, 'tool'],
    ['prompts/get', { name: 'ns/t:x' }, 'prompt'],
    ['resources/read', { uri: 'mcp://ns/t/x' }, 'resource'],
    ['resources/subscribe', { uri: 'mcp://ns/t/x' }, 'resource'],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'ns/t:x' }, argument: {} }, 'prompt'],
  ])('%s is answered with 403 and the value that the policy asks for', async (method, params, kind) => {
    const { rig, post } = await startRig();
    rig.gateway.config.allow('ns.p', 'reports:read', kind, 'ns/t:x', 'scope');
    expect(await post(method, params)).toEqual(challenged('reports:read'));
    expect(await post(method, params, { scope: 'reports:read' })).toEqual([200, null, undefined]);
    const denials = rig.gateway.log.lines.filter(({ message }) => message === 'denied');
    expect(denials.map(({ fields }) => fields['reason'])).toEqual(['insufficient scope']);
  });

  it('is the same without a session, with the claim scp, and for rules of everything', async () => {
    const { rig, post } = await startRig();
    rig.gateway.config.allow('ns.p', 'a b', 'tool', '*', 'scp');
    expect(await post('tools/call', { name: 'ns/t:x' }, {}, 'none')).toEqual(challenged('a b'));
    expect(await post('tools/call', { name: 'ns/t:x' }, { scp: 'a b' }, 'none')).toEqual([200, null, undefined]);
  });

  it('is answered as ever when another rule allows it, or no rule wants a scope', async () => {
    const { rig, post } = await startRig();
    rig.gateway.config.allow('ns.p', 'reports:read', 'tool', 'ns/t:x', 'scope');
    rig.gateway.config.allow('ns.p', 'team', 'tool', 'ns/t:y', 'group');
    expect(await post('tools/call', { name: 'ns/t:y' })).toEqual([200, null, 'not allowed: tool ns/t:y']);
    expect(await post('prompts/get', { name: 'ns/t:x' })).toEqual([200, null, 'not allowed: prompt ns/t:x']);
    rig.gateway.config.allow('ns.q', 'me', 'tool', 'ns/t:x');
    expect(await post('tools/call', { name: 'ns/t:x' })).toEqual([200, null, undefined]);
  });

  it('is answered as ever when no scope helps: what has no name is allowed by no rule', async () => {
    const { rig, post } = await startRig();
    rig.gateway.config.allow('ns.p', 'mcp:all', 'resource', '*', 'scope');
    expect(await post('resources/read', { uri: 'mcp://ns/t/' })).toEqual([
      200,
      null,
      'not allowed: resource mcp://ns/t/',
    ]);
  });

  it.each(['a"b', 'a\\b', 'a\r\nx: y', ' a', 'a  b', 'é', 'a'.repeat(257)])(
    'is answered as ever when the value %j is no scope of OAuth',
    async (value) => {
      const { rig, post } = await startRig();
      rig.gateway.config.allow('ns.p', value, 'tool', 'ns/t:x', 'scope');
      expect(await post('tools/call', { name: 'ns/t:x' })).toEqual([200, null, 'not allowed: tool ns/t:x']);
    },
  );
});

describe('where lists are filtered', () => {
  it('a rule for one name is no reason for 403, which would say that it exists', async () => {
    const { rig, post } = await startRig('filtered');
    rig.gateway.config.allow('ns.p', 'reports:read', 'tool', 'ns/t:secret', 'scope');
    expect(await post('tools/call', { name: 'ns/t:secret' })).toEqual([200, null, 'Unknown tool: ns/t:secret']);
    expect(await post('tools/call', { name: 'ns/t:other' })).toEqual([200, null, 'Unknown tool: ns/t:other']);
  });

  it('a rule for everything is one, whatever exists', async () => {
    const { rig, post } = await startRig('filtered');
    rig.gateway.config.allow('ns.p', 'mcp:all', 'tool', '*', 'scope');
    for (const name of ['ns/t:x', 'ns/t:none', 'ns/none:x']) {
      expect(await post('tools/call', { name })).toEqual(challenged('mcp:all'));
    }
  });
});
