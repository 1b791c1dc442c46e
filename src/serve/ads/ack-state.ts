/**
 * Where the exchange about one type stands on one stream. At most one response is unanswered at a time: while the node
 * has not answered, changes only make what it will be told next a different thing.
 */
export type Flow =
  /** Nothing was sent of this type on this stream. */
  | { readonly kind: 'silent' }
  /** A response is out and not answered. */
  | { readonly kind: 'waiting'; readonly nonce: string; readonly since: number }
  /** The last response was answered. */
  | { readonly kind: 'idle'; readonly nonce: string; readonly refused: boolean };

/** What a request means for the exchange, whatever else it asks for. */
export type Reply =
  /** It carries no nonce: it answers nothing. */
  | 'spontaneous'
  /** The last response was applied. */
  | 'ack'
  /** Something in the last response was refused. Told by its `error_detail`, never by a code or a version. */
  | 'nack'
  /** It repeats a nonce that was answered already. */
  | 'repeated'
  /** Its nonce is not that of the last response. */
  | 'stale';

export function replyOf(flow: Flow, nonce: string, refused: boolean): Reply {
  if (nonce === '') return 'spontaneous';
  if (flow.kind === 'silent' || flow.nonce !== nonce) return 'stale';
  if (flow.kind === 'waiting') return refused ? 'nack' : 'ack';
  // What was accepted may be refused later, but once is enough.
  return refused && !flow.refused ? 'nack' : 'repeated';
}

/** The exchange after a request that means this. */
export function afterReply(flow: Flow, reply: Reply): Flow {
  if (flow.kind === 'silent' || (reply !== 'ack' && reply !== 'nack')) return flow;
  return { kind: 'idle', nonce: flow.nonce, refused: reply === 'nack' };
}
