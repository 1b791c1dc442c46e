import type { Clock, Stop } from '../../../edges.ts';
import type { Client, MayReceive } from '../model.ts';
import { listChangedMethods } from '../notifications.ts';

/** Milliseconds in which further changes of a list are told of together. */
const burstTime = 1_000;

/** Changes that are told of together; each has a decision of its own about who may know. */
const maxPending = 64;

/**
 * Tells a client of a changed list once per burst: of the first change at once, of those that follow within a second
 * together at its end. A client reads the whole list after each.
 *
 * @param signal ends it
 */
export function coalesceListChanges(client: Client, clock: Clock, signal: AbortSignal): Client {
  /** By method, while a burst lasts: who may know of its changes that were not told of yet. */
  const bursts = new Map<string, MayReceive[]>();
  const timers = new Map<string, Stop>();
  signal.addEventListener('abort', () => {
    for (const stop of timers.values()) stop();
  });

  const begin = (method: string): void => {
    bursts.set(method, []);
    const end = (): void => {
      const pending = bursts.get(method) ?? [];
      bursts.delete(method);
      timers.delete(method);
      if (pending.length > 0) tell(method, pending);
    };
    timers.set(method, clock.after(burstTime, end));
  };

  /** Decides when it is sent, and for a later reader of the stream again. */
  const tell = (method: string, pending: readonly MayReceive[]): void => {
    begin(method);
    client.notify({ method }, (caller) => pending.some((mayReceive) => mayReceive(caller)));
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
      pending.push(mayReceive);
      if (pending.length < maxPending) return;
      timers.get(method)?.();
      tell(method, pending);
    },
  };
}
