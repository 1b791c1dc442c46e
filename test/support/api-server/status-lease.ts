import { asJsonObject } from '../../../src/json/json.ts';
import type { RequestError } from '../../../src/status/api/request-error.ts';
import type { Lease, LeaseClaim, LeaseClient, LeaseResult } from '../../../src/status/leader/lease-client.ts';

/**
 * The outcome of the requests of one replica. `lost`: they are applied, but fail; `stuck`: they are applied, and fail
 * when they are aborted.
 */
type Line = 'up' | 'down' | 'forbidden' | 'silent' | 'lost' | 'stuck';

/** One Lease in memory, with compare and swap. */
export interface LeaseInMemory {
  /** The record; undefined if there is none. */
  record(): LeaseClaim | undefined;
  /** Writes the record as another client. */
  write(claim: LeaseClaim): void;
  /** Changes the resource version only, as an annotation does. */
  touch(): void;
  remove(): void;
  /** The Lease client of a replica. */
  connect(): LeaseClient & { line: Line; readonly requests: readonly string[] };
}

const outages: Readonly<Record<'down' | 'forbidden' | 'lost', RequestError>> = {
  down: { kind: 'unavailable', message: 'no answer: connect ECONNREFUSED', retryAfter: 0 },
  forbidden: { kind: 'failed', message: '403 leases.coordination.k8s.io is forbidden' },
  lost: { kind: 'unavailable', message: 'no answer within 4 s', retryAfter: 0 },
};

export function createLeaseInMemory(): LeaseInMemory {
  let stored: LeaseClaim | undefined;
  let version = 0;

  const current = (): LeaseResult => {
    if (stored === undefined) return { kind: 'gone', message: '404 not found' };
    const { holder, transitions, renewed } = stored;
    const object = { metadata: { resourceVersion: String(version) } };
    return { kind: 'lease', lease: { holder, transitions, renewed: String(renewed), object } };
  };
  const store = (claim: LeaseClaim | undefined): LeaseResult => {
    const acquired = claim?.acquired ?? stored?.acquired;
    stored = claim && { ...claim, acquired };
    version += 1;
    return current();
  };
  const replace = (lease: Lease, claim: LeaseClaim): LeaseResult => {
    if (stored === undefined) return { kind: 'gone', message: '404 not found' };
    if (asJsonObject(lease.object['metadata'])['resourceVersion'] === String(version)) return store(claim);
    return { kind: 'conflict', message: '409 the object has been modified' };
  };

  return {
    record: () => stored,
    write: (claim) => void store(claim),
    touch: () => {
      version += 1;
    },
    remove: () => {
      stored = undefined;
    },
    connect: () => {
      const requests: string[] = [];
      const answer = (
        what: string,
        signal: AbortSignal | undefined,
        carryOut: () => LeaseResult,
      ): Promise<LeaseResult> => {
        requests.push(what);
        const { line } = replica;
        if (line === 'stuck') carryOut();
        if (line === 'silent' || line === 'stuck') return given(signal);
        const answered = line === 'up' || line === 'lost' ? carryOut() : undefined;
        return Promise.resolve(
          line === 'up' && answered !== undefined ? answered : outages[line === 'up' ? 'down' : line],
        );
      };
      const replica: LeaseClient & { line: Line; readonly requests: readonly string[] } = {
        line: 'up',
        requests,
        read: (signal) => answer('read', signal, current),
        create: (claim, signal) =>
          answer('create', signal, () =>
            stored === undefined ? store(claim) : { kind: 'conflict', message: '409 exists already' },
          ),
        replace: (lease, claim, signal) => answer('replace', signal, () => replace(lease, claim)),
      };
      return replica;
    },
  };
}

/** Rejects when the request is aborted. */
function given(signal: AbortSignal | undefined): Promise<LeaseResult> {
  const { promise, resolve } = Promise.withResolvers<LeaseResult>();
  signal?.addEventListener('abort', () => resolve(outages.lost), { once: true });
  return promise;
}
