import { createServer, type ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import type { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { type GatewayRig, portOf, startGateway } from '../../support/gateway/gateway-rig.ts';
import { openRawClient, type RawClient } from '../../support/nodes/raw-client.ts';

interface HoldingTarget extends AsyncDisposable {
  target(name: string): Target;
  /** What waits for an answer. */
  readonly held: ReadonlySet<unknown>;
  /** All messages of the method. */
  readonly seen: readonly unknown[];
  /** Answers what waits, and what follows. */
  release(): void;
}

/** A target that answers no message of one method, and all others. */
async function startHoldingTarget(method: string): Promise<HoldingTarget> {
  const held = new Map<ServerResponse, { readonly id: unknown; readonly params: unknown }>();
  const open = new Set<unknown>();
  const seen: unknown[] = [];
  let isHolding = true;
  const answer = (response: ServerResponse, id: unknown, result: object): void => {
    if (id === undefined) response.writeHead(202).end();
    else
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', id, result }));
  };
  const server = createServer(async (request, response) => {
    if (request.method !== 'POST') return void response.writeHead(405).end();
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const message = JSON.parse(text);
    if (message.method === method) seen.push(message);
    if (message.method === method && isHolding) {
      held.set(response, message);
      open.add(message);
      response.once('close', () => open.delete(message));
      return;
    }
    const { protocolVersion } = message.params ?? {};
    const capabilities = { tools: {}, logging: {}, resources: { subscribe: true } };
    answer(
      response,
      message.id,
      message.method === 'initialize' ? { protocolVersion, capabilities, serverInfo: {} } : {},
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    target: (name) => ({ name, host: '127.0.0.1', port: portOf(server.address()), path: '/mcp' }),
    held: open,
    seen,
    release() {
      isHolding = false;
      for (const [response, { id }] of held) answer(response, id, {});
      held.clear();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A client that has used a tool of the target. */
async function useOf(gateway: GatewayRig, target: HoldingTarget): Promise<RawClient> {
  gateway.config.putTarget(target.target('a'));
  gateway.config.allowAll('n.p', 'me');
  const client = await openRawClient(gateway, gateway.token('me'), '2025-11-25', { roots: { listChanged: true } });
  await client.request('tools/call', { name: 'a:x' });
  return client;
}

it('a target that accepts no notification gets 256 of them at once, and answers calls', async () => {
  await using target = await startHoldingTarget('notifications/roots/list_changed');
  await using gateway = await startGateway();
  const client = await useOf(gateway, target);
  for (let sent = 0; sent < 300; sent += 1) await client.notify('notifications/roots/list_changed');
  await expect.poll(() => target.held.size).toBe(256);
  expect((await client.request('tools/call', { name: 'a:x' })).result).toEqual({});
  expect(target.held.size).toBe(256);
  target.release();
  await expect.poll(() => target.held.size).toBe(0);
});

it('a target that does not answer is told of no further log level, and then of the last one', async () => {
  await using target = await startHoldingTarget('logging/setLevel');
  await using gateway = await startGateway();
  const client = await useOf(gateway, target);
  for (const level of ['debug', 'info', 'notice', 'warning', 'error'])
    await client.request('logging/setLevel', { level });
  await expect.poll(() => target.held.size).toBe(1);
  expect((await client.request('tools/call', { name: 'a:x' })).result).toEqual({});
  target.release();
  await expect.poll(() => target.seen).toMatchObject([{ params: { level: 'debug' } }, { params: { level: 'error' } }]);
});

it('a target that does not answer to unsubscribe gets 256 of these requests at once', async () => {
  await using target = await startHoldingTarget('resources/unsubscribe');
  await using gateway = await startGateway();
  const client = await useOf(gateway, target);
  // Beyond a thousand, the oldest subscription of the session ends for each new one.
  for (let index = 0; index < 1_300; index += 50) {
    const uris = Array.from({ length: 50 }, (_, other) => `mcp://a/${encodeURIComponent(`file:///${index + other}`)}`);
    await Promise.all(uris.map((uri) => client.request('resources/subscribe', { uri })));
  }
  await expect.poll(() => target.held.size).toBe(256);
  expect((await client.request('tools/call', { name: 'a:x' })).result).toEqual({});
});
