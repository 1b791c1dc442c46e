import { randomBytes } from 'node:crypto';
import type { Clock, Stop } from '../../edges.ts';
import { callerKey } from '../callers.ts';
import type { Caller } from '../model.ts';

/** The sessions of one transport, by id. Each belongs to the identity that opened it. */
export interface SessionTable<S> {
  /**
   * Opens a session with a new id: 128 random bits in hex, so that it cannot be guessed. Returns `undefined` when the
   * table is full and no session can be evicted.
   *
   * Evicts, in this order: an idle session of the identity with the most sessions; any idle session, unless that
   * identity has more than half of all; a session in use of the identity with the most sessions, if that has more than
   * this caller would have. So no identity can crowd out others, whose sessions are idle between two requests.
   */
  open(caller: Caller, create: (id: string) => S): { readonly id: string; readonly session: S } | undefined;
  /** Finds a session of the caller's identity; one of another identity is `unknown`. */
  find(id: string, caller: Caller): Lookup<S>;
  all(): readonly S[];
  /** Marks a session as in use until the returned function is called. A session in use does not become idle. */
  hold(id: string): Stop;
  /** Closes a session. Does nothing for an unknown id. */
  close(id: string): void;
  /** Closes all sessions. Resolves when all are closed. */
  stop(): Promise<void>;
}

type Lookup<S> = { readonly kind: 'found'; readonly session: S } | { readonly kind: 'unknown' };

/** Limits of a session table. */
export interface SessionTableParts {
  readonly clock: Clock;
  readonly maxSessions: number;
  /** Milliseconds after which a session that is not in use is closed. */
  readonly idleTimeout: number;
  /** Called when the table is full, with what that meant for a session. */
  readonly full: (outcome: SessionTableFull) => void;
}

/** A session was evicted for a new one, idle or in use; or the new one was refused. */
type SessionTableFull = 'evicted idle' | 'evicted in use' | 'refused';

/** An identity with open sessions. */
interface Owner {
  sessions: number;
}

interface Entry<S> {
  readonly session: S;
  readonly identity: string;
  readonly owner: Owner;
  holds: number;
  stopIdleTimer: Stop;
}

/** Creates an empty table. */
export function createSessionTable<S extends { close(): Promise<void> }>(parts: SessionTableParts): SessionTable<S> {
  const { clock, maxSessions, idleTimeout, full } = parts;
  /** The least recently used session first. */
  const entries = new Map<string, Entry<S>>();
  const owners = new Map<string, Owner>();
  const closing = new Set<Promise<void>>();

  const close = (id: string): void => {
    const entry = entries.get(id);
    if (entry === undefined) return;
    entries.delete(id);
    entry.owner.sessions -= 1;
    if (entry.owner.sessions === 0) owners.delete(entry.identity);
    entry.stopIdleTimer();
    const closed = entry.session.close().finally(() => closing.delete(closed));
    closing.add(closed);
  };

  const startIdleTimer = (id: string, entry: Entry<S>): void => {
    entry.stopIdleTimer();
    entry.stopIdleTimer = clock.after(idleTimeout, () => close(id));
  };

  const makeRoom = (identity: string): boolean => {
    if (entries.size < maxSessions) return true;
    const victim = selectVictim(entries, owners.get(identity)?.sessions ?? 0, maxSessions);
    const isIdle = victim !== undefined && entries.get(victim)?.holds === 0;
    full(victim === undefined ? 'refused' : isIdle ? 'evicted idle' : 'evicted in use');
    if (victim !== undefined) close(victim);
    return victim !== undefined;
  };

  return {
    close,
    open(caller, create) {
      const identity = callerKey(caller);
      if (!makeRoom(identity)) return undefined;
      const id = randomBytes(16).toString('hex');
      const owner = withOneMore(owners, identity);
      const entry: Entry<S> = { session: create(id), identity, owner, holds: 0, stopIdleTimer: () => {} };
      entries.set(id, entry);
      startIdleTimer(id, entry);
      return { id, session: entry.session };
    },
    find(id, caller) {
      const entry = entries.get(id);
      if (entry === undefined || entry.identity !== callerKey(caller)) return { kind: 'unknown' };
      return { kind: 'found', session: entry.session };
    },
    all: () => [...entries.values()].map(({ session }) => session),
    hold(id) {
      const entry = entries.get(id);
      if (entry === undefined) return () => {};
      entry.stopIdleTimer();
      entry.holds += 1;
      entries.delete(id);
      entries.set(id, entry);
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        entry.holds -= 1;
        if (entry.holds === 0 && entries.get(id) === entry) startIdleTimer(id, entry);
      };
    },
    async stop() {
      for (const id of [...entries.keys()]) close(id);
      await Promise.all(closing);
    },
  };
}

function withOneMore(owners: Map<string, Owner>, identity: string): Owner {
  const owner = owners.get(identity) ?? { sessions: 0 };
  owners.set(identity, owner);
  owner.sessions += 1;
  return owner;
}

/**
 * Makes no list of them: one is selected for each session that a flood opens.
 *
 * @param entries the least recently used first
 * @param own sessions of the identity that needs room
 */
function selectVictim<S>(entries: ReadonlyMap<string, Entry<S>>, own: number, maxSessions: number): string | undefined {
  let largest: Owner = { sessions: 0 };
  for (const { owner } of entries.values()) if (owner.sessions > largest.sessions) largest = owner;
  const isOfLargest = ({ owner }: Entry<S>): boolean => owner === largest;
  const idle = firstIn(entries, (entry) => entry.holds === 0 && isOfLargest(entry));
  if (idle !== undefined) return idle;
  const other = largest.sessions > maxSessions / 2 ? undefined : firstIn(entries, ({ holds }) => holds === 0);
  return other ?? (largest.sessions > own + 1 ? firstIn(entries, isOfLargest) : undefined);
}

function firstIn<E>(entries: ReadonlyMap<string, E>, isMeant: (entry: E) => boolean): string | undefined {
  for (const [id, entry] of entries) if (isMeant(entry)) return id;
  return undefined;
}
