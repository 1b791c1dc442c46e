import { describe, expect, it } from 'vitest';
import { objectIn } from '../../../../src/json/json.ts';
import type { Script } from '../../../support/gateway/raw-target.ts';
import { startTargetRig, type TargetRig } from '../../../support/gateway/target-rig.ts';
import type { RawClient } from '../../../support/nodes/raw-client.ts';

/** The progress token in the parameters that a target got. */
function progressTokenOf(params: Readonly<Record<string, unknown>>): unknown {
  return objectIn(params, '_meta')['progressToken'];
}

/** Starts a target, lets a client use everything of it, and opens its session. */
async function startRig(script: Script): Promise<TargetRig & { readonly client: RawClient }> {
  const rig = await startTargetRig(script, { name: 'ns/raw' });
  rig.gateway.config.allowAll('ns.all', 'me');
  return { ...rig, client: await rig.open() };
}

const unknownParams = {
  arguments: { message: 'hi', 'x-nested': { deep: [1, null, { a: 'ü' }] } },
  'x-vendor': { kept: true },
  requestState: 'opaque',
  _meta: { traceparent: '00-1', 'io.modelcontextprotocol/clientInfo': { name: 'x' }, 'vendor/key': [1] },
};

const unknownResult = {
  content: [
    { type: 'text', text: 'hi', 'x-block': { a: 1 }, annotations: { 'x-ann': 2 }, _meta: { 'vendor/x': 1 } },
    { type: 'x-unknown', whatever: true },
  ],
  structuredContent: { uri: 'file:///not-rewritten' },
  resultType: 'complete',
  'x-result': { kept: null },
  _meta: { 'vendor/y': { deep: true } },
};

describe('members that the gateway does not know', () => {
  it('reach the target in a call, and the client in its result', async () => {
    await using rig = await startRig(() => ({ result: unknownResult }));
    const reply = await rig.client.request('tools/call', { name: 'ns/raw:echo:1', ...unknownParams });
    expect(reply.result).toEqual(unknownResult);
    expect((await rig.target.arrival('tools/call')).params).toEqual({ name: 'echo:1', ...unknownParams });
  });

  it('reach the target in the other requests, too', async () => {
    await using rig = await startRig(() => ({ result: { 'x-result': 1 } }));
    const uri = 'mcp://ns/raw/file%3A%2F%2F%2Fa';
    const requests = [
      ['prompts/get', { name: 'ns/raw:p' }, { name: 'p' }],
      ['resources/read', { uri }, { uri: 'file:///a' }],
      ['resources/subscribe', { uri }, { uri: 'file:///a' }],
      ['resources/unsubscribe', { uri }, { uri: 'file:///a' }],
    ] as const;
    for (const [method, asked, received] of requests) {
      expect((await rig.client.request(method, { ...asked, ...unknownParams })).result).toEqual({ 'x-result': 1 });
      expect((await rig.target.arrival(method)).params).toEqual({ ...received, ...unknownParams });
    }
    const ref = { type: 'ref/resource', uri: 'mcp://ns/raw/:file:///{p}', 'x-ref': 1 };
    await rig.client.request('completion/complete', { ref, ...unknownParams });
    const completed = await rig.target.arrival('completion/complete');
    expect(completed.params).toEqual({ ref: { ...ref, uri: 'file:///{p}' }, ...unknownParams });
  });

  it('do not become headers: the protocol version is that of the connection, and `task` is removed', async () => {
    await using rig = await startRig(() => ({ result: {} }));
    const version = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'vendor/key': 1 };
    const reply = await rig.client.request('tools/call', { name: 'ns/raw:t', task: { ttl: 1 }, _meta: version });
    expect(reply.result).toEqual({});
    await rig.client.request('tools/list', { _meta: version });
    for (const method of ['tools/call', 'tools/list']) {
      const { params, headers } = await rig.target.arrival(method);
      expect(params).toEqual({ ...(method === 'tools/call' ? { name: 't' } : {}), _meta: { 'vendor/key': 1 } });
      expect(headers).toMatchObject({ 'mcp-protocol-version': '2025-11-25' });
      expect(headers).not.toHaveProperty('mcp-method');
    }
  });

  it('reach the client in lists', async () => {
    const entry = {
      name: 'echo',
      inputSchema: { type: 'object', 'x-schema': 1 },
      outputSchema: { type: 'string' },
      'x-tool': [1],
    };
    await using rig = await startRig(() => ({ result: { tools: [entry] } }));
    const { result } = await rig.client.request('tools/list', { 'x-list': 1 });
    expect(result).toEqual({ tools: [{ ...entry, name: 'ns/raw:echo' }] });
    expect((await rig.target.arrival('tools/list')).params).toEqual({ 'x-list': 1 });
  });

  it('reach the client in errors, with code and data', async () => {
    for (const error of [
      { code: -32002, message: 'no such thing', data: { uri: 'file:///a', 'x-data': 1 } },
      { code: -32042, message: 'elicit', data: { elicitations: [], more: true } },
      { code: 17, message: '' },
    ]) {
      await using rig = await startRig(() => ({ error }));
      const reply = await rig.client.request('resources/read', { uri: 'mcp://ns/raw/file%3A%2F%2F%2Fa' });
      expect(reply.error).toEqual(error);
    }
  });
});

describe('URIs in the results of a target', () => {
  const link = { type: 'resource_link', uri: 'file:///l', name: 'l', 'x-link': 1 };
  const embedded = { type: 'resource', resource: { uri: 'file:///e', text: '', 'x-resource': 1 } };
  const shownLink = { ...link, uri: 'mcp://ns/raw/file%3A%2F%2F%2Fl' };
  const shownEmbedded = { ...embedded, resource: { ...embedded.resource, uri: 'mcp://ns/raw/file%3A%2F%2F%2Fe' } };
  const page = { type: 'resource', resource: { uri: 'ui://page', text: '' } };

  it('are rewritten to those that clients can read', async () => {
    await using rig = await startRig(({ method }) => {
      if (method === 'tools/call') return { result: { content: [link, embedded, page, 'odd', null] } };
      return {
        result: { messages: [{ role: 'user', content: embedded }, { role: 'user', content: [link, page] }, 1] },
      };
    });
    const tool = await rig.client.request('tools/call', { name: 'ns/raw:t' });
    expect(tool.result).toEqual({ content: [shownLink, shownEmbedded, page, 'odd', null] });
    const prompt = await rig.client.request('prompts/get', { name: 'ns/raw:p' });
    expect(prompt.result).toEqual({
      messages: [{ role: 'user', content: shownEmbedded }, { role: 'user', content: [shownLink, page] }, 1],
    });
  });

  it('are rewritten in structured content as in blocks, and other texts there stay', async () => {
    const structuredContent = {
      blocks: [link, embedded, page],
      same: { deep: ['file:///l', 'file:///other', 'file:///l?x'] },
      uri: 'file:///other',
    };
    await using rig = await startRig(() => ({ result: { content: [link], structuredContent } }));
    const tool = await rig.client.request('tools/call', { name: 'ns/raw:t' });
    expect(tool.result).toEqual({
      content: [shownLink],
      structuredContent: {
        blocks: [shownLink, shownEmbedded, page],
        same: { deep: [shownLink.uri, 'file:///other', 'file:///l?x'] },
        uri: 'file:///other',
      },
    });
  });

  it('are in contents as the client spelled them', async () => {
    await using rig = await startRig(({ params }) => ({
      result: {
        contents: [
          { uri: params['uri'], text: 'a' },
          { uri: 'file:///other', text: 'b' },
        ],
      },
    }));
    for (const uri of ['mcp://ns/raw/file%3A%2F%2F%2Fa%2520b', 'mcp://ns/raw/:file:///a%20b']) {
      const { result } = await rig.client.request('resources/read', { uri });
      expect(result).toEqual({
        contents: [
          { uri, text: 'a' },
          { uri: 'mcp://ns/raw/file%3A%2F%2F%2Fother', text: 'b' },
        ],
      });
    }
    expect(rig.target.received.filter(({ method }) => method === 'resources/read').map(({ params }) => params)).toEqual(
      [{ uri: 'file:///a%20b' }, { uri: 'file:///a%20b' }],
    );
  });
});

describe('notifications', () => {
  it('about progress are sent on the stream of their request', async () => {
    await using rig = await startRig(({ params }, say) => {
      say('notifications/progress', { progressToken: progressTokenOf(params), progress: 1, 'x-progress': 1 });
      say('notifications/progress', { progressToken: 'unknown', progress: 2 });
      say('notifications/message', { level: 'info', data: 'log' });
      return { result: { content: [] } };
    });
    const reply = await rig.client.request('tools/call', { name: 'ns/raw:t', _meta: { progressToken: 'mine' } });
    expect(reply.before).toEqual([
      {
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken: 'mine', progress: 1, 'x-progress': 1 },
      },
      { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'log' } },
    ]);
  });

  it('of methods that MCP does not know are passed on, and none that only clients send', async () => {
    await using rig = await startRig((_request, say) => {
      say('notifications/roots/list_changed', {});
      say('notifications/initialized', {});
      say('notifications/x', { unknown: [1] });
      say('notifications/elicitation/complete', { elicitationId: 'e', more: 1 });
      return { result: { content: [] } };
    });
    const { before } = await rig.client.request('tools/call', { name: 'ns/raw:t' });
    expect(before).toEqual([
      { jsonrpc: '2.0', method: 'notifications/x', params: { unknown: [1] } },
      {
        jsonrpc: '2.0',
        method: 'notifications/elicitation/complete',
        params: { elicitationId: 'ns/raw:e', more: 1 },
      },
    ]);
  });

  it('of a target’s log are not sent to a caller who may use nothing there', async () => {
    await using rig = await startRig((_request, say) => {
      say('notifications/message', { level: 'info', data: 'secret' });
      say('notifications/x', { data: 'secret' });
      say('notifications/tools/list_changed', {});
      return { result: { tools: [] } };
    });
    const stream = await rig.client.listen();
    expect((await rig.client.request('tools/list')).before).toEqual([]);
    expect(await stream.next()).toMatchObject({ method: 'notifications/tools/list_changed' });
  });
});

describe('other notifications', () => {
  it('of a cancellation reach the target, and close the request’s stream without a response', async () => {
    await using rig = await startRig(() => undefined);
    const calling = rig.client.request('tools/call', { name: 'ns/raw:slow' }, { id: 'call-1' });
    const unanswered = expect(calling).rejects.toThrow('the stream ended without an answer');
    const call = await rig.target.arrival('tools/call');
    await rig.client.notify('notifications/cancelled', { requestId: 'call-1', reason: 'enough' });
    const cancelled = await rig.target.arrival('notifications/cancelled');
    expect(cancelled.params).toEqual({ requestId: call.id, reason: 'enough' });
    await unanswered;
  });

  it('of an updated resource reach the subscriber, with the URI as it spelled it', async () => {
    await using rig = await startRig(({ method }, say) => {
      if (method === 'tools/call') {
        say('notifications/resources/updated', { uri: 'file:///a', 'x-updated': 1 });
        say('notifications/resources/list_changed', {});
      }
      return { result: {} };
    });
    const uri = 'mcp://ns/raw/:file:///a';
    const stream = await rig.client.listen();
    await rig.client.request('resources/subscribe', { uri });
    await rig.client.request('tools/call', { name: 'ns/raw:touch' });
    expect(await stream.next()).toMatchObject({ params: { uri, 'x-updated': 1 } });
    expect(await stream.next()).toMatchObject({ method: 'notifications/resources/list_changed' });

    rig.gateway.config.removeConfig('ns.all');
    rig.gateway.config.allow('ns.tools', 'me', 'tool', '*');
    await rig.client.request('tools/call', { name: 'ns/raw:touch' });
    expect(await stream.next()).toMatchObject({ method: 'notifications/resources/list_changed' });
  });
});

it('a target gets nothing that identifies the client', async () => {
  await using rig = await startRig(() => ({ result: {} }));
  await rig.client.request('tools/call', { name: 'ns/raw:t' });
  for (const { headers } of rig.target.received) {
    expect(Object.keys(headers)).not.toContain('authorization');
    expect(JSON.stringify(headers)).not.toContain('token');
  }
  expect((await rig.target.arrival('initialize')).params).toMatchObject({
    capabilities: {},
    clientInfo: { name: 'gatehouse' },
  });
});
