/**
 * ACK state of one type on one stream. At most one response is unacknowledged at a time; while one is, changes only
 * update the content of the next response (rule C26).
 */
export type AckState =
  /** No response of this type was sent on this stream. */
  | { readonly kind: 'unsent' }
  /** A response was sent and not answered. `since`: when, in milliseconds since the epoch. */
  | { readonly kind: 'awaiting-ack'; readonly nonce: string; readonly since: number }
  /** The last response was ACKed, or NACKed if `rejected`. */
  | { readonly kind: 'settled'; readonly nonce: string; readonly rejected: boolean };

/** The meaning of a request for the ACK state, independent of its subscription. */
export type RequestKind =
  /** Has no nonce and acknowledges nothing (rule C20). */
  | 'spontaneous'
  /** The last response was applied. */
  | 'ack'
  /** The last response was rejected, as a whole or in part: the request has an `error_detail` (rules B6, C17). */
  | 'nack'
  /** Repeats the nonce of a response that is settled. */
  | 'duplicate'
  /** Has another nonce than that of the last response (rules B9, C19). */
  | 'stale';

/**
 * Returns what a request means for the ACK state.
 *
 * @param nonce the `response_nonce`, or an empty string
 * @param rejects whether the request has an `error_detail` that contains an error
 */
export function classifyRequest(state: AckState, nonce: string, rejects: boolean): RequestKind {
  if (nonce === '') return 'spontaneous';
  if (state.kind === 'unsent' || state.nonce !== nonce) return 'stale';
  if (state.kind === 'awaiting-ack') return rejects ? 'nack' : 'ack';
  // A node may NACK what it ACKed before, once.
  return rejects && !state.rejected ? 'nack' : 'duplicate';
}

/** Returns the state after a request of this kind. */
export function nextAckState(state: AckState, kind: RequestKind): AckState {
  if (state.kind === 'unsent' || (kind !== 'ack' && kind !== 'nack')) return state;
  return { kind: 'settled', nonce: state.nonce, rejected: kind === 'nack' };
}
