import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { startTargetRig } from '../../support/gateway/target-rig.ts';

const event = (message: object): string => `data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`;

it('of two answers to a request the first counts, and the other changes no later request', async () => {
  await using rig = await startTargetRig(({ id, params }) => {
    if (params['name'] !== 'twice') return { result: { of: params['name'] } };
    const answers = [{ of: 'first' }, { of: 'second' }].map((result) => event({ id, result }));
    return { raw: 'text/event-stream', chunks: [...answers, event({ id, error: { code: 1, message: 'third' } })] };
  });
  rig.gateway.config.allowAll('n.p', 'me');
  const client = await rig.open();
  for (let calls = 0; calls < 3; calls += 1) {
    expect((await client.request('tools/call', { name: 'a:twice' })).result).toEqual({ of: 'first' });
    expect((await client.request('tools/call', { name: 'a:next' })).result).toEqual({ of: 'next' });
  }
});

it('an answer to a request that was cancelled reaches nobody, and the next request gets its own', async () => {
  let stream: ServerResponse | undefined;
  const opened = Promise.withResolvers<void>();
  await using rig = await startTargetRig(
    ({ params }) => (params['name'] === 'slow' ? undefined : { result: { of: params['name'] } }),
    {
      get(_, response) {
        stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
        stream.flushHeaders();
        opened.resolve();
      },
    },
  );
  rig.gateway.config.allowAll('n.p', 'me');
  const client = await rig.open();
  const heard = await client.listen();
  const calling = client.request('tools/call', { name: 'a:slow' }, { id: 'mine' });
  const ended = expect(calling).rejects.toThrow('the stream ended without an answer');
  const { id } = await rig.target.arrival('tools/call');
  await opened.promise;
  await client.notify('notifications/cancelled', { requestId: 'mine' });
  await rig.target.arrival('notifications/cancelled');
  await ended;
  stream?.write(event({ id, result: { of: 'slow' } }));
  stream?.write(event({ method: 'notifications/tools/list_changed' }));
  expect(await heard.next()).toEqual({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
  expect((await client.request('tools/call', { name: 'a:next' }, { id: 'mine' })).result).toEqual({ of: 'next' });
});
