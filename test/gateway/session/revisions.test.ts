import { expect, it } from 'vitest';
import { startGateway } from '../../support/gateway/gateway-rig.ts';
import { startTextTarget, type TextTransport } from '../../support/gateway/text-target.ts';
import { openRawClient } from '../../support/nodes/raw-client.ts';
import { ask, version as stateless } from '../../support/nodes/stateless-client.ts';
import { openTextClient } from '../../support/nodes/text-client.ts';

type Gateway = Awaited<ReturnType<typeof startGateway>>;

const clients = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', stateless] as const;
const targets: readonly TextTransport[] = ['http-sse', 'json', 'event stream', 'stateless'];
const call = { name: 'a:x', arguments: { n: 1 } };

/** Calls the tool as a client of this revision does, and returns the result. */
async function resultFor(revision: (typeof clients)[number], gateway: Gateway): Promise<unknown> {
  const token = gateway.token('me');
  if (revision === '2024-11-05') {
    await using client = await openTextClient(gateway, '/sse', token, revision);
    const [text = ''] = await client.request(
      JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call }),
    );
    return JSON.parse(text).result;
  }
  if (revision !== stateless) {
    const client = await openRawClient(gateway, token, revision);
    return (await client.request('tools/call', call)).result;
  }
  const response = await ask(gateway, { token, method: 'tools/call', params: call });
  return JSON.parse(await response.text()).result;
}

for (const revision of clients) {
  it.each(targets)(`a client of ${revision} calls a tool of a target with %s`, async (transport) => {
    await using target = await startTextTarget(transport, ({ id }) => [
      JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'done' }], unknown: 1 } }),
    ]);
    await using gateway = await startGateway();
    gateway.config.putTarget(target.target('a'));
    gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    const own = revision === stateless ? { resultType: 'complete' } : {};
    expect(await resultFor(revision, gateway)).toEqual({
      content: [{ type: 'text', text: 'done' }],
      unknown: 1,
      ...own,
    });
    expect(JSON.parse(target.received.get('tools/call') ?? '').params).toMatchObject({
      name: 'x',
      arguments: { n: 1 },
    });
  });
}
