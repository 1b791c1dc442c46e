import type { V1Lease, V1LeaseSpec } from '@kubernetes/client-node';
import { type JsonObject, objectIn } from '../../json/json.ts';
import { type AsJson, apiPath, microTime, type SendObjectRequest } from '../api/object-request.ts';
import type { RequestError } from '../api/request-error.ts';

/** The leader election record of a Lease. */
export interface LeaseRecord {
  /** Empty: the Lease is free. */
  readonly holder: string;
  /** `leaseTransitions`: how often the holder changed. */
  readonly transitions: number;
  /** `renewTime` as stored, from the holder's clock: compare it for equality only. */
  readonly renewed: string;
}

/** A Lease as it was read or written. */
export interface Lease extends LeaseRecord {
  /** The stored object, so that an update keeps what other clients wrote. */
  readonly object: JsonObject;
}

/** The record to write. */
export interface LeaseClaim {
  readonly holder: string;
  readonly transitions: number;
  /** Seconds. */
  readonly duration: number;
  /** Milliseconds since the epoch. */
  readonly renewed: number;
  /** Milliseconds since the epoch; undefined keeps the stored time. */
  readonly acquired: number | undefined;
}

/** The Lease as it is stored now, or why that is not known. */
export type LeaseResult = { readonly kind: 'lease'; readonly lease: Lease } | RequestError;

/** Reads and writes one Lease (`coordination.k8s.io/v1`). Nothing here rejects. */
export interface LeaseClient {
  read(signal: AbortSignal | undefined): Promise<LeaseResult>;
  create(claim: LeaseClaim, signal: AbortSignal | undefined): Promise<LeaseResult>;
  /** Compare and swap: `conflict` when another client wrote the Lease since it was read. */
  replace(lease: Lease, claim: LeaseClaim, signal: AbortSignal | undefined): Promise<LeaseResult>;
}

/** Creates a client for one Lease. Sends nothing. */
export function leaseClient(
  send: SendObjectRequest,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): LeaseClient {
  const collection = apiPath('coordination.k8s.io/v1', 'namespaces', namespace, 'leases');
  const path = apiPath('coordination.k8s.io/v1', 'namespaces', namespace, 'leases', name);
  return {
    read: (signal) => send({ method: 'GET', path }, signal, decodeLease),
    create: (claim, signal) => {
      const body: AsJson<V1Lease> = { metadata: { namespace, name }, spec: specOf(claim) };
      return send({ method: 'POST', path: collection, body }, signal, decodeLease);
    },
    replace: ({ object }, claim, signal) => {
      const body = { ...object, spec: { ...objectIn(object, 'spec'), ...specOf(claim) } };
      return send({ method: 'PUT', path, body }, signal, decodeLease);
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

/** @throws Error when the object has no resource version, so that it cannot be replaced */
function decodeLease(object: JsonObject): LeaseResult {
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
