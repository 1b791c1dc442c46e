import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { close, ListenError, listen } from '../../../src/net/listener/http-listener.ts';

it('a listener says where it really listens', async () => {
  const server = createServer();
  const bound = await listen(server, { host: 'localhost', port: 0 });
  expect(bound.port).toBeGreaterThan(0);
  expect(['127.0.0.1', '::1']).toContain(bound.host);
  await close(server);
});

it('a port that is taken is an error that names the address, the reason and the remedy', async () => {
  const server = createServer();
  const bound = await listen(server, { host: '127.0.0.1', port: 0 });
  const error: unknown = await listen(createServer(), bound).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ListenError);
  expect(error).toMatchObject({
    code: 'EADDRINUSE',
    at: bound,
    message: `cannot listen on 127.0.0.1:${bound.port}: the port is in use; stop the other program or choose another port`,
  });
  await close(server);
});

it('an address of another machine is refused in words', async () => {
  await expect(listen(createServer(), { host: '192.0.2.1', port: 0 })).rejects.toThrow(
    'cannot listen on 192.0.2.1:0: the address is not one of this machine',
  );
});

it('an error of a library that names the code only in its message has the same reason', () => {
  const at = { host: '127.0.0.1', port: 9977 };
  const cause = new Error(
    'No address added out of total 1 resolved errors: [listen EADDRINUSE: address already in use]',
  );
  const { code, reason, message } = new ListenError(at, undefined, cause);
  expect(code).toBe('EADDRINUSE');
  expect(reason).toBe('the port is in use; stop the other program or choose another port');
  expect(message).toBe(`cannot listen on 127.0.0.1:9977: ${reason}`);
});
