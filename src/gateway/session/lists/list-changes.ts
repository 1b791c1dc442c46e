import type { Clock, Stop } from '../../../edges.ts';
import type { Client, MayReceive } from '../model.ts';
import { listChangedMethods } from '../notifications.ts';

/** Milliseconds in which further changes of a list are told of together. */
const burstTime = 1_000;

/** Changes that are told of together and have different decisions about who may know. */
const maxPending = 64;

/**
 * Tells a client of a changed list once per burst: of the first change at once, of those that follow within a second
 * together at its end. A client reads the whole list after each.
 *
 * @param signal ends it
 */
export function coalesceListChanges(client: Client, clock: Clock, signal: AbortSignal): Client {
  /** By method, while a burst lasts: who may know of its changes that were not told of yet. */
  const bursts = new Map<string, Set<MayReceive>>();
  const timers = new Map<string, Stop>();
  signal.addEventListener('abort', () => {
    for (const stop of timers.values()) stop();
  });

  const begin = (method: string): void => {
    bursts.set(method, new Set());
    const end = (): void => {
      const pending = bursts.get(method) ?? new Set();
      bursts.delete(method);
      timers.delete(method);
      if (pending.size > 0) tell(method, pending);
    };
    timers.set(method, clock.after(burstTime, end));
  };

  /** Decides when it is sent, and for a later reader of the stream again. */
  const tell = (method: string, pending: Iterable<MayReceive>): void => {
    begin(method);
    client.notify({ method }, allowedAny([...pending]));
  };

  return {
    ...client,
    notify(notification, mayReceive, to) {
      const { method } = notification;
      if (to !== undefined || signal.aborted || !listChangedMethods.some((known) => known === method)) {
        client.notify(notification, mayReceive, to);
        return;
      }
      const pending = bursts.get(method);
      if (pending === undefined) {
        begin(method);
        client.notify(notification, mayReceive);
        return;
      }
      pending.add(mayReceive);
      if (pending.size < maxPending) return;
      timers.get(method)?.();
      tell(method, pending);
    },
  };
}

/** An event log keeps the decision for as long as the notification: it holds the others alone. */
function allowedAny(decisions: readonly MayReceive[]): MayReceive {
  const [only, ...others] = decisions;
  if (only !== undefined && others.length === 0) return only;
  return (caller) => decisions.some((mayReceive) => mayReceive(caller));
}
