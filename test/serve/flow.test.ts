import { expect, it } from 'vitest';
import { afterReply, type Flow, type Reply, replyOf } from '../../src/serve/flow.ts';

const silent: Flow = { kind: 'silent' };
const waiting: Flow = { kind: 'waiting', nonce: '7', since: 0 };
const idle: Flow = { kind: 'idle', nonce: '7' };

it.each<[string, Flow, string, boolean, Reply, Flow]>([
  ['nothing was sent', silent, '', false, 'spontaneous', silent],
  ['nothing was sent, but it answers', silent, '7', false, 'stale', silent],
  ['an answer is awaited', waiting, '', false, 'spontaneous', waiting],
  ['an answer is awaited, and comes', waiting, '7', false, 'ack', idle],
  ['an answer is awaited, and refuses', waiting, '7', true, 'nack', idle],
  ['an answer is awaited, and an older one comes', waiting, '6', false, 'stale', waiting],
  ['an answer is awaited, and an older one refuses', waiting, '6', true, 'stale', waiting],
  ['the answer came', idle, '', true, 'spontaneous', idle],
  ['the answer came, and comes again', idle, '7', false, 'repeated', idle],
  ['the answer came, and is taken back', idle, '7', true, 'nack', idle],
  ['the answer came, and an older one comes', idle, '6', false, 'stale', idle],
])('when %s', (_, flow, nonce, refused, reply, after) => {
  expect(replyOf(flow, nonce, refused)).toBe(reply);
  expect(afterReply(flow, reply)).toEqual(after);
});
