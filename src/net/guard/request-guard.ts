import type { Clock, Stop } from '../../edges.ts';
import { every } from '../timers.ts';

/** What a guard looks at, of HTTP as of gRPC. */
export interface GuardedRequest {
  readonly method: string;
  /** Without the query; of a call, that of its method, such as `/grpc.health.v1.Health/Check`. */
  readonly path: string;
  /** Every value of the header `authorization`. */
  readonly authorization: readonly string[];
  readonly address: string;
}

/** Why a request is not answered: no identity, no right, or nobody could be asked. The message says the remedy. */
export interface GuardRefusal {
  readonly status: 401 | 403 | 503;
  readonly message: string;
}

/** Decides about a request; undefined: it may be answered. */
export type RequestGuard = (request: GuardedRequest) => Promise<GuardRefusal | undefined>;

/** Milliseconds after which an answer that has not ended is authorized again: a stream of events may last for days. */
const interval = 30_000;

/**
 * Times in a row that nobody could be asked before an open answer is ended: ten minutes, the restart of an API server and
 * more. Counted, since a clock can be set.
 */
const maxUndecided = 20;

/**
 * Asks a guard about a new request. Whatever goes wrong refuses it.
 */
export async function authorize(guard: RequestGuard, request: GuardedRequest): Promise<GuardRefusal | undefined> {
  try {
    return await guard(request);
  } catch {
    return { status: 503, message: 'the request cannot be authorized now: try again.' };
  }
}

/**
 * Asks a guard again and again while a request that it has let pass is being answered, and ends the answer once it is
 * refused. While nobody can be asked, it goes on for ten minutes: whoever watches an outage keeps the page that shows it.
 *
 * @param end ends the answer; called once
 */
export function keepAuthorized(guard: RequestGuard, request: GuardedRequest, clock: Clock, end: () => void): Stop {
  let undecided = 0;
  let stopped = false;
  const again = async (): Promise<void> => {
    const refusal = await authorize(guard, request);
    if (stopped) return;
    undecided = refusal?.status === 503 ? undecided + 1 : 0;
    if (refusal === undefined || (undecided > 0 && undecided < maxUndecided)) return;
    stop();
    end();
  };
  const stopTimer = every(clock, interval, () => void again());
  const stop = (): void => {
    stopped = true;
    stopTimer();
  };
  return stop;
}
