import { expect, it } from 'vitest';
import { afterReply, type Flow, type Reply, replyOf } from '../../../src/serve/ads/ack-state.ts';

const silent: Flow = { kind: 'silent' };
const waiting: Flow = { kind: 'waiting', nonce: '7', since: 0 };
const idle: Flow = { kind: 'idle', nonce: '7', refused: false };
const refused: Flow = { kind: 'idle', nonce: '7', refused: true };

it.each<[string, Flow, string, boolean, Reply, Flow]>([
  ['nothing was sent', silent, '', false, 'spontaneous', silent],
  ['nothing was sent, but it answers', silent, '7', false, 'stale', silent],
  ['an answer is awaited', waiting, '', false, 'spontaneous', waiting],
  ['an answer is awaited, and comes', waiting, '7', false, 'ack', idle],
  ['an answer is awaited, and refuses', waiting, '7', true, 'nack', refused],
  ['an answer is awaited, and an older one comes', waiting, '6', false, 'stale', waiting],
  ['an answer is awaited, and an older one refuses', waiting, '6', true, 'stale', waiting],
  ['the answer came', idle, '', true, 'spontaneous', idle],
  ['the answer came, and comes again', idle, '7', false, 'repeated', idle],
  ['the answer came, and is taken back', idle, '7', true, 'nack', refused],
  ['the answer refused, and refuses again', refused, '7', true, 'repeated', refused],
  ['the answer refused, and accepts after all', refused, '7', false, 'repeated', refused],
  ['the answer came, and an older one comes', idle, '6', false, 'stale', idle],
])('when %s', (_, flow, nonce, refuses, reply, after) => {
  expect(replyOf(flow, nonce, refuses)).toBe(reply);
  expect(afterReply(flow, reply)).toEqual(after);
});
