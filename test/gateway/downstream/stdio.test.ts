import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { startGateway } from '../../support/gateway/gateway-rig.ts';
import { startTargetRig } from '../../support/gateway/target-rig.ts';
import { startTextTarget } from '../../support/gateway/text-target.ts';
import { initialize } from '../../support/nodes/raw-client.ts';

it('a client on stdio can list everything and call nothing', async () => {
  await using rig = await startTargetRig(() => ({ result: { tools: [{ name: 't' }] } }));
  const { gateway } = rig;
  gateway.config.allow('n.p', 'me', 'tool', '*');
  const input = new PassThrough();
  const output = new PassThrough();
  const stop = gateway.downstream.stdio(input, output, () => {});
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

it('what a client on stdio gets stays as it was written, in whatever pieces it asks for it', async () => {
  const x = '{"2":1e400,"1":-0,"é ":"\\u0041"}';
  await using target = await startTextTarget('json', ({ id }) => [
    `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"tools":[{"name":"t",\n"inputSchema":${x}}]}}`,
  ]);
  await using gateway = await startGateway();
  gateway.config.putTarget(target.target('a'));
  const input = new PassThrough();
  const output = new PassThrough();
  const stop = gateway.downstream.stdio(input, output, () => {});
  input.write(`${JSON.stringify(initialize())}\n`);
  await once(output, 'data');
  const request = Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"x":${x}}}\r\n`);
  for (const byte of request) input.write(Buffer.of(byte));
  const [line] = await once(output, 'data');
  expect(String(line)).toBe(`{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a:t", "inputSchema":${x}}]}}\n`);
  stop();
});

it('a line on stdio that is too long, or has too many values, is ignored, and the next one counts', async () => {
  await using gateway = await startGateway();
  const input = new PassThrough();
  const output = new PassThrough();
  const stop = gateway.downstream.stdio(input, output, () => {});
  const ping = (id: number, rest: string): string => `{"jsonrpc":"2.0","id":${id},"method":"ping","params":${rest}}\n`;
  input.write(`${JSON.stringify(initialize())}\n`);
  await once(output, 'data');
  input.write(ping(1, `{"x":[${'0,'.repeat(200_000)}0]}`));
  const piece = 'x'.repeat(1024 * 1024);
  for (let sent = 0; sent < 33; sent += 1) if (!input.write(piece)) await once(input, 'drain');
  input.write(`${ping(2, '{}')}${ping(3, '{}')}`);
  const [line] = await once(output, 'data');
  expect(JSON.parse(String(line))).toEqual({ jsonrpc: '2.0', id: 3, result: {} });
  stop();
});

it('a client on stdio that does not read is served no more once it leaves 48 MiB, and the others of its messages are dropped', async () => {
  await using gateway = await startGateway();
  const input = new PassThrough();
  const taken: string[] = [];
  const output = new Writable({
    decodeStrings: false,
    write(text, _encoding, done) {
      taken.push(text);
      if (taken.length === 1) done();
    },
  });
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  gateway.downstream.stdio(input, output, resolve);
  input.write(`${JSON.stringify(initialize())}\n`);
  const id = 'x'.repeat(1024 * 1024);
  for (let sent = 0; sent < 60; sent += 1) input.write(`{"jsonrpc":"2.0","id":"${sent}${id}","method":"ping"}\n`);
  await gone;
  const line = await gateway.log.line('does not read');
  expect(line).toMatchObject({ level: 'warn', fields: { reason: 'too much unread' } });
  expect(output.writableLength).toBeGreaterThan(48 * 1024 * 1024);
  expect(output.writableLength).toBeLessThan(52 * 1024 * 1024);
});
