import type { Dispatcher } from 'undici';
import { expect, it } from 'vitest';
import { ResponseBody } from '../../../src/gateway/network/response-body.ts';

/** A body, and what it does with its connection. */
function open() {
  const calls: string[] = [];
  const controller: Dispatcher.DispatchController = {
    aborted: false,
    paused: false,
    reason: null,
    abort: () => calls.push('abort'),
    pause: () => calls.push('pause'),
    resume: () => calls.push('resume'),
  };
  const body = new ResponseBody(controller);
  return { body, calls, reader: body[Symbol.asyncIterator]() };
}

const textOf = async (reader: AsyncIterator<Uint8Array, undefined>): Promise<string | undefined> => {
  const { value } = await reader.next();
  return value && Buffer.from(value).toString();
};

it('what arrives between two reads is one piece, also for a reader that waits', async () => {
  const { body, reader } = open();
  const waiting = textOf(reader);
  for (const text of 'abc') body.push(Buffer.from(text));
  expect(await waiting).toBe('abc');
  for (const text of 'def') body.push(Buffer.from(text));
  body.end();
  expect(await textOf(reader)).toBe('def');
  expect(await textOf(reader)).toBeUndefined();
});

it('the connection is not read while 64 KiB wait for the reader', async () => {
  const { body, calls, reader } = open();
  body.push(Buffer.alloc(65_535));
  expect(calls).toEqual([]);
  body.push(Buffer.alloc(1));
  expect(calls).toEqual(['pause']);
  await reader.next();
  expect(calls).toEqual(['pause', 'resume']);
});

it('a failure reaches a reader that waits, and one that comes later, without what has arrived before', async () => {
  const { body, reader } = open();
  const waiting = reader.next();
  body.fail(new Error('reset'));
  await expect(waiting).rejects.toThrow('reset');
  body.push(Buffer.from('late'));
  await expect(reader.next()).rejects.toThrow('reset');
});

it('a reader that stops ends the request, unless the response has arrived whole', async () => {
  const stopped = open();
  await stopped.reader.return?.();
  expect(stopped.calls).toEqual(['abort']);
  const whole = open();
  whole.body.push(Buffer.from('text'));
  whole.body.end();
  await whole.body.cancel();
  expect(whole.calls).toEqual(['resume']);
});
