import type { V1Lease, V1LeaseSpec } from '@kubernetes/client-node';
import { type JsonObject, objectIn } from '../../json/json.ts';
import type { Refusal } from '../api/api-answer.ts';
import { apiPath } from '../api/api-path.ts';
import { type AsJson, microTime } from '../api/as-json.ts';
import type { TimedRequest } from '../api/object-request.ts';

/** Who holds a Lease, as its record says. */
export interface LeaseRecord {
  /** Empty: nobody. */
  readonly holder: string;
  /** How often it went from one holder to another. */
  readonly transitions: number;
  /** As it is written; only whether it changes means something, since it is of another machine's clock. */
  readonly renewed: string;
}

/** A Lease as it was read or written. */
export interface Lease extends LeaseRecord {
  /** The object, to be given back: what others wrote on it stays. */
  readonly object: JsonObject;
}

/** What is to be written on it. */
export interface LeaseClaim {
  readonly holder: string;
  readonly transitions: number;
  /** Seconds. */
  readonly duration: number;
  /** Milliseconds since the epoch. */
  readonly renewed: number;
  /** Milliseconds since the epoch; undefined: as it is written. */
  readonly acquired: number | undefined;
}

export type LeaseAnswer = { readonly kind: 'lease'; readonly lease: Lease } | Refusal;

/** One Lease of an API server. Nothing here rejects. */
export interface LeaseClient {
  read(signal: AbortSignal | undefined): Promise<LeaseAnswer>;
  create(claim: LeaseClaim, signal: AbortSignal | undefined): Promise<LeaseAnswer>;
  /** Compare and swap: a conflict when somebody wrote the Lease since it was read. */
  replace(lease: Lease, claim: LeaseClaim, signal: AbortSignal | undefined): Promise<LeaseAnswer>;
}

export function leaseClient(
  request: TimedRequest,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): LeaseClient {
  const all = apiPath('coordination.k8s.io/v1', 'namespaces', namespace, 'leases');
  const path = apiPath('coordination.k8s.io/v1', 'namespaces', namespace, 'leases', name);
  return {
    read: (signal) => request({ method: 'GET', path }, signal, readLease),
    create: (claim, signal) => {
      const body: AsJson<V1Lease> = { metadata: { namespace, name }, spec: specOf(claim) };
      return request({ method: 'POST', path: all, body }, signal, readLease);
    },
    replace: ({ object }, claim, signal) => {
      const body = { ...object, spec: { ...objectIn(object, 'spec'), ...specOf(claim) } };
      return request({ method: 'PUT', path, body }, signal, readLease);
    },
  };
}

function specOf({ holder, transitions, duration, renewed, acquired }: LeaseClaim): AsJson<V1LeaseSpec> {
  return {
    holderIdentity: holder,
    leaseTransitions: transitions,
    leaseDurationSeconds: duration,
    renewTime: microTime(renewed),
    ...(acquired === undefined ? {} : { acquireTime: microTime(acquired) }),
  };
}

/** @throws Error when it is no stored object */
function readLease(object: JsonObject): LeaseAnswer {
  const { holderIdentity, leaseTransitions, renewTime } = objectIn(object, 'spec');
  if (typeof objectIn(object, 'metadata')['resourceVersion'] !== 'string') throw new Error('the answer is no Lease');
  const lease = {
    holder: typeof holderIdentity === 'string' ? holderIdentity : '',
    transitions: typeof leaseTransitions === 'number' ? leaseTransitions : 0,
    renewed: typeof renewTime === 'string' ? renewTime : '',
    object,
  };
  return { kind: 'lease', lease };
}
