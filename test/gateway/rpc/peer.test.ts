import { describe, expect, it } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import type { IncomingRequest, Message, Result } from '../../../src/gateway/rpc/model.ts';
import { createPeer, type Peer } from '../../../src/gateway/rpc/peer.ts';
import { implementation } from '../../../src/gateway/rpc/protocol.ts';
import { RpcError } from '../../../src/gateway/rpc/rpc-error.ts';

/** Two peers that are connected to each other; `answer` handles the requests to the second one. */
function pair(answer: (request: IncomingRequest) => Promise<Result>, maxInFlight = 2) {
  const sent: Message[] = [];
  const notified: string[] = [];
  const settled: string[] = [];
  const client: Peer<string> = createPeer<string>({
    maxInFlight: 0,
    request: () => Promise.reject(new Error('the client gets no requests')),
    notification: () => {},
    async send(message) {
      sent.push(message);
      server.receive(message, 'client');
    },
  });
  const server: Peer<string> = createPeer<string>({
    maxInFlight,
    request: answer,
    notification: (method) => notified.push(method),
    settled: (sender) => settled.push(sender),
    async send(message) {
      sent.push(message);
      client.receive(message, 'server');
    },
  });
  return { client, server, sent, notified, settled };
}

const never = (): Promise<Result> => new Promise(() => {});

describe('a peer', () => {
  it('matches each response to its request, in any order', async () => {
    const answers = new Map<string, (result: Result) => void>();
    const { client } = pair(({ method }) => new Promise((resolve) => answers.set(method, resolve)));
    const asked = [client.request('a', { x: 1 }), client.request('b', undefined)];
    answers.get('b')?.({ of: 'b' });
    answers.get('a')?.({ of: 'a' });
    expect(await Promise.all(asked)).toEqual([{ of: 'a' }, { of: 'b' }]);
  });

  it('passes an RpcError on unchanged, and hides any other error', async () => {
    const { client } = pair(({ method }) =>
      Promise.reject(
        method === 'known'
          ? new RpcError(7, 'seven', { code: 7, message: 'seven', data: { more: true } })
          : new Error('secret'),
      ),
    );
    await expect(client.request('known', undefined)).rejects.toMatchObject({
      code: 7,
      message: 'seven',
      received: { code: 7, message: 'seven', data: { more: true } },
    });
    await expect(client.request('other', undefined)).rejects.toMatchObject({ code: -32603, message: 'Internal error' });
  });

  it('refuses requests beyond the limit of requests in flight', async () => {
    const { client } = pair(never, 1);
    client.request('a', undefined).catch(() => {});
    await expect(client.request('b', undefined)).rejects.toMatchObject({ code: -32000 });
  });
});

describe('a peer', () => {
  it('sends a cancellation when its request is aborted, and gets no response', async () => {
    const { client, sent, settled } = pair(
      ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve({}))),
    );
    const abort = new AbortController();
    const asked = client.request('a', undefined, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    expect(settled).toEqual(['client']);
    expect(sent.slice(1)).toEqual([
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 0, reason: 'enough' } },
    ]);
  });

  it('sends no cancellation for the handshake, and no request that is aborted already', async () => {
    const { client, sent } = pair(never);
    const abort = new AbortController();
    const shaking = client.request('initialize', undefined, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(shaking).rejects.toThrow('enough');
    await expect(client.request('a', undefined, { signal: abort.signal })).rejects.toThrow('enough');
    expect(sent).toHaveLength(1);
  });

  it('fails its requests when it is closed, aborts those of the other side, and sends nothing after that', async () => {
    const aborted = Promise.withResolvers<unknown>();
    const { client, server, sent, notified } = pair(({ signal }) => {
      signal.addEventListener('abort', () => aborted.resolve(signal.reason));
      return never();
    });
    const asked = client.request('a', undefined);
    const reason = new Error('over');
    server.close(reason);
    expect(await aborted.promise).toBe(reason);
    client.close(reason);
    await expect(asked).rejects.toBe(reason);
    await expect(client.request('b', undefined)).rejects.toBe(reason);
    client.notify('c');
    server.receive({ jsonrpc: '2.0', method: 'd' }, 'client');
    expect(sent).toHaveLength(1);
    expect(notified).toEqual([]);
  });
});

describe('a peer', () => {
  it('ignores responses and cancellations with an unknown id', () => {
    const { server, sent } = pair(never);
    server.receive({ jsonrpc: '2.0', id: 99, result: {} }, 'client');
    server.receive({ jsonrpc: '2.0', error: { code: 1, message: '' } }, 'client');
    for (const params of [{}, { requestId: 99 }, { requestId: null }]) {
      server.receive({ jsonrpc: '2.0', method: 'notifications/cancelled', params }, 'client');
    }
    expect(sent).toEqual([]);
  });

  it('sends an error response when its response cannot be sent', async () => {
    const sent: Message[] = [];
    const done = Promise.withResolvers<void>();
    const peer = createPeer<string>({
      maxInFlight: 1,
      request: () => Promise.resolve({ too: 'deep' }),
      notification: () => {},
      async send(message) {
        if ('result' in message) throw new RangeError('Maximum call stack size exceeded');
        sent.push(message);
        done.resolve();
      },
    });
    peer.receive({ jsonrpc: '2.0', id: 1, method: 'a' }, 'client');
    await done.promise;
    expect(sent).toEqual([{ jsonrpc: '2.0', id: 1, error: { code: -32603, message: 'Internal error' } }]);
  });
});

it('the version in handshakes is that of the package', () => {
  expect(implementation.version).toBe(packageJson.version);
});
