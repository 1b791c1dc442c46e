import { expect, it } from 'vitest';
import { type AckState, classifyRequest, nextAckState, type RequestKind } from '../../../src/serve/ads/ack-state.ts';

const unsent: AckState = { kind: 'unsent' };
const awaiting: AckState = { kind: 'awaiting-ack', nonce: '7', since: 0 };
const acked: AckState = { kind: 'settled', nonce: '7', rejected: false };
const nacked: AckState = { kind: 'settled', nonce: '7', rejected: true };

it.each<[string, AckState, string, boolean, RequestKind, AckState]>([
  ['unsent: no nonce', unsent, '', false, 'spontaneous', unsent],
  ['unsent: a nonce', unsent, '7', false, 'stale', unsent],
  ['awaiting the ACK: no nonce', awaiting, '', false, 'spontaneous', awaiting],
  ['awaiting the ACK: the nonce', awaiting, '7', false, 'ack', acked],
  ['awaiting the ACK: the nonce with an error', awaiting, '7', true, 'nack', nacked],
  ['awaiting the ACK: an older nonce', awaiting, '6', false, 'stale', awaiting],
  ['awaiting the ACK: an older nonce with an error', awaiting, '6', true, 'stale', awaiting],
  ['ACKed: no nonce with an error', acked, '', true, 'spontaneous', acked],
  ['ACKed: the same nonce again', acked, '7', false, 'duplicate', acked],
  ['ACKed: the same nonce with an error', acked, '7', true, 'nack', nacked],
  ['NACKed: the same nonce with an error again', nacked, '7', true, 'duplicate', nacked],
  ['NACKed: the same nonce without an error', nacked, '7', false, 'duplicate', nacked],
  ['ACKed: an older nonce', acked, '6', false, 'stale', acked],
])('%s', (_, state, nonce, rejects, kind, next) => {
  expect(classifyRequest(state, nonce, rejects)).toBe(kind);
  expect(nextAckState(state, kind)).toEqual(next);
});
