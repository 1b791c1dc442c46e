import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { startTargetRig } from '../../support/gateway/target-rig.ts';
import { initialize } from '../../support/nodes/raw-client.ts';

it('a client on stdio can list everything and call nothing', async () => {
  await using rig = await startTargetRig(() => ({ result: { tools: [{ name: 't' }] } }));
  const { gateway } = rig;
  gateway.config.allow('n.p', 'me', 'tool', '*');
  const input = new PassThrough();
  const output = new PassThrough();
  const stop = gateway.downstream.stdio(input, output);
  const ask = async (message: unknown): Promise<unknown> => {
    input.write(typeof message === 'string' ? message : `${JSON.stringify(message)}\n`);
    const [line] = await once(output, 'data');
    return JSON.parse(String(line));
  };
  expect(await ask(initialize())).toMatchObject({ id: 0, result: { serverInfo: { name: 'gatehouse' } } });
  input.write('no message\n');
  expect(await ask({ jsonrpc: '2.0', id: 1, method: 'tools/list' })).toMatchObject({
    result: { tools: [{ name: 'a:t' }] },
  });
  const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'a:t' } };
  expect(await ask(call)).toMatchObject({ id: 2, error: { code: -32600 } });
  expect(await gateway.log.line('denied')).toMatchObject({ fields: { caller: 'stdio', reason: 'no principal' } });
  stop();
});
