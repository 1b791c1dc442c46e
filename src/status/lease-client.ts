import type { Configuration, V1Lease, V1LeaseSpec } from '@kubernetes/client-node';
import { objectOf, type Refusal, readRefusal } from './api-answer.ts';
import { objectIn } from './stored-json.ts';
import type { TimedRequest } from './timed-request.ts';

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
  readonly object: V1Lease;
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
  configuration: Configuration,
  request: TimedRequest,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): LeaseClient {
  const answered = async (ask: () => Promise<unknown>): Promise<LeaseAnswer> => {
    try {
      return { kind: 'lease', lease: readLease(await ask()) };
    } catch (error) {
      return readRefusal(error);
    }
  };
  return {
    read: (signal) =>
      answered(async () => {
        const { CoordinationV1Api } = await import('@kubernetes/client-node');
        const api = new CoordinationV1Api(configuration);
        return request((options) => api.readNamespacedLease({ namespace, name }, options), signal);
      }),
    create: (claim, signal) =>
      answered(async () => {
        const { CoordinationV1Api } = await import('@kubernetes/client-node');
        const api = new CoordinationV1Api(configuration);
        const body: V1Lease = { metadata: { namespace, name }, spec: await specOf(claim) };
        return request((options) => api.createNamespacedLease({ namespace, body }, options), signal);
      }),
    replace: ({ object }, claim, signal) =>
      answered(async () => {
        const { CoordinationV1Api } = await import('@kubernetes/client-node');
        const api = new CoordinationV1Api(configuration);
        const body: V1Lease = { ...object, spec: { ...object.spec, ...(await specOf(claim)) } };
        return request((options) => api.replaceNamespacedLease({ namespace, name, body }, options), signal);
      }),
  };
}

/** `MicroTime` has exactly six digits after the point: the three of JavaScript are refused. */
async function specOf({ holder, transitions, duration, renewed, acquired }: LeaseClaim): Promise<V1LeaseSpec> {
  const { V1MicroTime } = await import('@kubernetes/client-node');
  return {
    holderIdentity: holder,
    leaseTransitions: transitions,
    leaseDurationSeconds: duration,
    renewTime: new V1MicroTime(renewed),
    ...(acquired === undefined ? {} : { acquireTime: new V1MicroTime(acquired) }),
  };
}

/** The client does not read times of this type: they are strings, whatever its types say. */
function readLease(answer: unknown): Lease {
  const object: V1Lease = objectOf(answer);
  const { holderIdentity, leaseTransitions, renewTime } = objectIn(object.spec);
  if (object.metadata?.resourceVersion === undefined) throw new Error('the answer is no Lease');
  return {
    holder: typeof holderIdentity === 'string' ? holderIdentity : '',
    transitions: typeof leaseTransitions === 'number' ? leaseTransitions : 0,
    renewed: timeText(renewTime),
    object,
  };
}

function timeText(time: unknown): string {
  if (time instanceof Date) return time.toISOString();
  return typeof time === 'string' ? time : '';
}
