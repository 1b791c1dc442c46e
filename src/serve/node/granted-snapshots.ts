import type { Stop } from '../../edges.ts';
import type { Delta, Snapshot, Snapshots, View } from '../../snapshot/model.ts';
import type { Grant } from './grant.ts';

/** Snapshots that can be read with a {@link Grant} alone: nothing else of a Gateway can be named. */
export interface GrantedSnapshots {
  /** Returns whether a Gateway of that name exists, of any GatewayClass. */
  readonly exists: (gateway: string) => boolean;
  of(grant: Grant): Snapshot;
  /** Has a type computed from now on; returns false if that cannot be now. */
  request(typeUrl: string): boolean;
  diff(from: View, to: View): Delta;
  /** Calls `changed` once after each change of the snapshot of the granted Gateway. */
  subscribe(grant: Grant, changed: (snapshot: Snapshot) => void): Stop;
}

/** Limits reads of snapshots to what a {@link Grant} is for. */
export function grantedSnapshots(snapshots: Snapshots): GrantedSnapshots {
  return {
    exists: (gateway) => snapshots.of(gateway).exists,
    of: ({ gateway }) => snapshots.of(gateway),
    request: (typeUrl) => snapshots.request(typeUrl),
    diff: (from, to) => snapshots.diff(from, to),
    subscribe: ({ gateway }, changed) => snapshots.subscribe(gateway, changed),
  };
}
