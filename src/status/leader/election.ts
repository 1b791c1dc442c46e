import type { Lease, LeaseRecord } from './lease-client.ts';

/**
 * The state of the election as one replica knows it. The elector measures time with its own timers: a record expires
 * when this replica has not seen it change for the lease duration, regardless of the times in the record (as client-go
 * does, against clock skew).
 */
export type Election =
  | {
      readonly kind: 'following';
      /** The last Lease that was read; undefined: none was read, or none exists. */
      readonly observed: { readonly lease: Lease; readonly expired: boolean } | undefined;
    }
  | {
      readonly kind: 'leading';
      readonly lease: Lease;
      /** Time at which the last successful renewal was sent, in milliseconds since the epoch. */
      readonly renewed: number;
    };

/**
 * What happened to the Lease, or to the time that it counts for. `sent`: when the request was sent, in milliseconds.
 */
export type ElectionEvent =
  /** A read returned the Lease. */
  | { readonly kind: 'observed'; readonly lease: Lease }
  /** A read or a write found no Lease. */
  | { readonly kind: 'absent' }
  /** A write succeeded: this replica holds the Lease. */
  | { readonly kind: 'acquired'; readonly lease: Lease; readonly sent: number }
  /** The record has not changed for the lease duration. */
  | { readonly kind: 'expired' }
  /** The renew deadline has passed without a renewal. */
  | { readonly kind: 'overdue' };

/** Returns the next state. `identity` is the holder identity of this replica. */
export function nextElection(election: Election, event: ElectionEvent, identity: string): Election {
  switch (event.kind) {
    case 'acquired':
      return { kind: 'leading', lease: event.lease, renewed: event.sent };
    case 'overdue':
      return election.kind === 'leading' ? { kind: 'following', observed: undefined } : election;
    case 'expired': {
      if (election.kind === 'leading' || election.observed === undefined) return election;
      return { kind: 'following', observed: { lease: election.observed.lease, expired: true } };
    }
    case 'absent':
      return { kind: 'following', observed: undefined };
    case 'observed':
      return afterObserving(election, event.lease, identity);
  }
}

function afterObserving(election: Election, lease: Lease, identity: string): Election {
  // Another client changed the object, but not the record.
  if (election.kind === 'leading' && lease.holder === identity) return { ...election, lease };
  const before = election.kind === 'following' ? election.observed : undefined;
  const stillExpired = before?.expired === true && sameRecord(before.lease, lease);
  return { kind: 'following', observed: { lease, expired: stillExpired || isFree(lease, identity) } };
}

/** Returns whether a record is unchanged, so that its expiry timer continues. */
export function sameRecord(a: LeaseRecord, b: LeaseRecord): boolean {
  return a.holder === b.holder && a.renewed === b.renewed && a.transitions === b.transitions;
}

/** Returns whether the Lease has no holder, or is held by this replica, which lost the leadership in the meantime. */
function isFree({ holder }: LeaseRecord, identity: string): boolean {
  return holder === '' || holder === identity;
}
