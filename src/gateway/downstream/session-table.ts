import { randomBytes } from 'node:crypto';
import type { Clock, Stop } from '../../edges.ts';
import type { Caller } from '../model.ts';

/** The sessions of one transport, each of them one identity's. */
export interface SessionTable<S> {
  /**
   * Makes a session under a new, unguessable id: 128 random bits in hex. When the table is full, another one makes room:
   * an idle one of the identity that has most, else any idle one, else one in use of an identity that has more than this
   * caller would; `undefined` when there is none. So nobody can crowd out others.
   */
  open(caller: Caller, make: (id: string) => S): { readonly id: string; readonly session: S } | undefined;
  find(id: string, caller: Caller): Lookup<S>;
  /** Keeps a session from being idle until the returned function is called. */
  hold(id: string): Stop;
  /** Closes a session; one that is not there any more stays so. */
  close(id: string): void;
  /** Closes all; settles when every session has. */
  stop(): Promise<void>;
}

/** `foreign`: there is such a session, and it is somebody else's. */
type Lookup<S> =
  | { readonly kind: 'found'; readonly session: S }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'foreign' };

export interface SessionTableParts {
  readonly clock: Clock;
  /** How many sessions there may be. */
  readonly max: number;
  /** How long a session without open streams and requests is kept. */
  readonly idleMilliseconds: number;
}

interface Entry<S> {
  readonly session: S;
  readonly identity: string;
  holds: number;
  stopIdle: Stop;
}

/** Starts empty. */
export function createSessionTable<S extends { close(): Promise<void> }>(parts: SessionTableParts): SessionTable<S> {
  const { clock, max, idleMilliseconds } = parts;
  /** In the order of last use. */
  const entries = new Map<string, Entry<S>>();
  const closing = new Set<Promise<void>>();

  const close = (id: string): void => {
    const entry = entries.get(id);
    if (entry === undefined) return;
    entries.delete(id);
    entry.stopIdle();
    const closed = entry.session.close().finally(() => closing.delete(closed));
    closing.add(closed);
  };

  const rest = (id: string, entry: Entry<S>): void => {
    entry.stopIdle();
    entry.stopIdle = clock.after(idleMilliseconds, () => close(id));
  };

  const victimFor = (identity: string): string | undefined => {
    const groups = [...Map.groupBy(entries, ([, entry]) => entry.identity).values()];
    const most = groups.reduce((largest, group) => (group.length > largest.length ? group : largest), []);
    const own = groups.find(([first]) => first?.[1].identity === identity)?.length ?? 0;
    const idle = [...most, ...entries].find(([, { holds }]) => holds === 0);
    return (idle ?? (most.length > own + 1 ? most[0] : undefined))?.[0];
  };

  const makeRoom = (identity: string): boolean => {
    if (entries.size < max) return true;
    const victim = victimFor(identity);
    if (victim !== undefined) close(victim);
    return victim !== undefined;
  };

  return {
    close,
    open(caller, make) {
      const identity = identityOf(caller);
      if (!makeRoom(identity)) return undefined;
      const id = randomBytes(16).toString('hex');
      const entry: Entry<S> = { session: make(id), identity, holds: 0, stopIdle: () => {} };
      entries.set(id, entry);
      rest(id, entry);
      return { id, session: entry.session };
    },
    find(id, caller) {
      const entry = entries.get(id);
      if (entry === undefined) return { kind: 'unknown' };
      return entry.identity === identityOf(caller) ? { kind: 'found', session: entry.session } : { kind: 'foreign' };
    },
    hold(id) {
      const entry = entries.get(id);
      if (entry === undefined) return () => {};
      entry.stopIdle();
      entry.holds += 1;
      entries.delete(id);
      entries.set(id, entry);
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        entry.holds -= 1;
        if (entry.holds === 0 && entries.get(id) === entry) rest(id, entry);
      };
    },
    async stop() {
      for (const id of [...entries.keys()]) close(id);
      await Promise.all(closing);
    },
  };
}

/** No principal can be named like those who are none. */
function identityOf(caller: Caller): string {
  return caller.kind === 'principal' ? `principal ${caller.identity}` : caller.kind;
}
