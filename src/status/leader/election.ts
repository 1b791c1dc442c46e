import type { Lease, LeaseRecord } from './lease-client.ts';

/**
 * Who leads, as one replica knows it. Times are kept by whoever runs the election: whether a record has stood still for
 * long enough is for the replica's own clock to say, and never for the times that are written in the record.
 */
export type Election =
  | {
      readonly kind: 'following';
      /** The Lease as it was last seen; undefined: none was, or there is none. */
      readonly seen: { readonly lease: Lease; readonly expired: boolean } | undefined;
    }
  | {
      readonly kind: 'leading';
      readonly lease: Lease;
      /** When the last renewal that succeeded was asked for, in milliseconds since the epoch. */
      readonly renewed: number;
    };

export type ElectionEvent =
  /** The Lease was read. */
  | { readonly kind: 'seen'; readonly lease: Lease }
  /** There is no Lease. */
  | { readonly kind: 'absent' }
  /** It was written: this replica holds it. */
  | { readonly kind: 'held'; readonly lease: Lease; readonly asked: number }
  /** The record has not changed for as long as it is good for. */
  | { readonly kind: 'expired' }
  /** It was not renewed in time. */
  | { readonly kind: 'overdue' };

/** @param identity the holder that this replica is */
export function electionAfter(election: Election, event: ElectionEvent, identity: string): Election {
  switch (event.kind) {
    case 'held':
      return { kind: 'leading', lease: event.lease, renewed: event.asked };
    case 'overdue':
      return election.kind === 'leading' ? { kind: 'following', seen: undefined } : election;
    case 'expired': {
      if (election.kind === 'leading' || election.seen === undefined) return election;
      return { kind: 'following', seen: { lease: election.seen.lease, expired: true } };
    }
    case 'absent':
      return { kind: 'following', seen: undefined };
    case 'seen':
      return afterSeeing(election, event.lease, identity);
  }
}

function afterSeeing(election: Election, lease: Lease, identity: string): Election {
  // Somebody else wrote on the object, and left the record alone.
  if (election.kind === 'leading' && lease.holder === identity) return { ...election, lease };
  const before = election.kind === 'following' ? election.seen : undefined;
  const stoodStill = before?.expired === true && sameRecord(before.lease, lease);
  return { kind: 'following', seen: { lease, expired: stoodStill || isFree(lease, identity) } };
}

/** Whether the time of a record has to begin anew. */
export function sameRecord(a: LeaseRecord, b: LeaseRecord): boolean {
  return a.holder === b.holder && a.renewed === b.renewed && a.transitions === b.transitions;
}

/** Nobody holds it; or it is this replica, which lost sight of it. */
function isFree({ holder }: LeaseRecord, identity: string): boolean {
  return holder === '' || holder === identity;
}
