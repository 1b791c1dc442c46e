import { createServer, type ServerResponse } from 'node:http';
import { expect, it, vi } from 'vitest';
import { TargetConnectionsError } from '../../../src/gateway/errors.ts';
import { createConnectionLimit } from '../../../src/gateway/network/connection-limit.ts';
import { createNetwork } from '../../../src/gateway/network/network.ts';
import { createTargetSettings } from '../../../src/gateway/network/target-settings.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { systemClock } from '../../support/edges/system-clock.ts';
import { portOf } from '../../support/gateway/gateway-rig.ts';

it('a target has as many connections as allowed; the error names number and flag, and others have theirs', () => {
  const limit = createConnectionLimit(2);
  const [close] = [limit.open('a'), limit.open('a')];
  expect(() => limit.open('a')).toThrow('2 connections to it are open (--max-target-connections)');
  limit.open('b');
  close();
  close();
  limit.open('a');
  expect(() => limit.open('a')).toThrow(TargetConnectionsError);
});

it('one target leaves connections to others, whatever its own limit is', () => {
  const limit = createConnectionLimit(1_000_000);
  expect(() => {
    for (;;) limit.open('a');
  }).toThrow('(half of ulimit -n)');
  limit.open('b');
});

it('a connection counts until its answer has arrived, was given up, or did not come', async () => {
  const answers: ServerResponse[] = [];
  const server = createServer((_, response) => void answers.push(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server.address());
  const resolutions = { find: (host: string, port: number) => ({ host, port }) };
  const network = createNetwork({
    resolutions,
    settings: createTargetSettings(systemClock, createRecordedLog()),
    clock: systemClock,
    maxTargetConnections: 1,
    failed: () => {},
  });
  const fetchTarget = network.targetFetch({ name: 'a', host: '127.0.0.1', port, path: '/' });
  const get = (signal = new AbortController().signal) =>
    fetchTarget(new URL(`http://127.0.0.1:${port}/`), { method: 'GET', headers: {}, body: null, signal });
  const answered = async (text: string) => {
    await expect.poll(() => answers.length).toBe(1);
    answers.shift()?.end(text);
  };
  const full = 'connections to it are open';
  /** Asks until the connection of the request before is given back, once its end was noticed. */
  const getOnceFree = (signal?: AbortSignal) => vi.waitFor(() => get(signal));

  const read = get();
  await expect(get()).rejects.toThrow(full);
  await expect.poll(() => answers.length).toBe(1);
  answers[0]?.write('te');
  const { body } = await read;
  await expect(get()).rejects.toThrow(full);
  await answered('xt');
  let text = '';
  for await (const chunk of body ?? []) text += String(Buffer.from(chunk));
  expect(text).toBe('text');

  const givenUp = await Promise.all([getOnceFree(), answered('')]);
  await givenUp[0].body?.cancel();

  const aborted = new AbortController();
  const waiting = getOnceFree(aborted.signal);
  const failed = expect(waiting).rejects.toThrow();
  await expect.poll(() => answers.length).toBe(1);
  aborted.abort();
  await failed;
  answers.length = 0;

  const again = await Promise.all([getOnceFree(), answered('')]);
  expect(again[0].status).toBe(200);
  await network.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
