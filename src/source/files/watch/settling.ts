import type { Clock } from '../../../edges.ts';
import type { Fingerprint } from './read-file.ts';

/**
 * Settle times after which a file that still changes is reported. Editors and generators that save in several steps
 * are done long before.
 */
const patience = 10;

interface Written {
  readonly fingerprint: Fingerprint;
  /** When this state was first seen, by the clock that is never set: else a file half written might seem to stand still. */
  readonly since: number;
  /** When the first state was seen that does not count yet. */
  readonly first: number;
}

/** The state of a file that was written in place. */
export type Settled = 'settled' | 'settling' | 'restless';

/**
 * The files of one root that were written in place and do not count yet. Nothing tells whether the writer of a file is
 * done, so it has to stand still for the settle time. Every prefix of a file can widen access: a name that is cut short,
 * a selector without its last label, a rule without the field that makes it invalid, a Namespace without its label.
 */
export class Settling {
  readonly #settle: number;
  readonly #clock: Clock;
  readonly #written = new Map<string, Written>();

  /** @param settle milliseconds that a file has to stand still; 0: none has to */
  constructor(settle: number, clock: Clock) {
    this.#settle = settle;
    this.#clock = clock;
  }

  /**
   * Records the state of a file.
   *
   * @param name its entry in the root
   * @param changed when it changed, in milliseconds since the epoch, if that can be believed; undefined: just now
   */
  observe(name: string, fingerprint: Fingerprint, changed: number | undefined): Settled {
    const now = this.#clock.monotonic();
    const before = this.#written.get(name);
    const unchanged = changed === undefined ? 0 : Math.max(0, this.#clock.now() - changed);
    const since = before?.fingerprint === fingerprint ? before.since : now - unchanged;
    if (now - since >= this.#settle) return 'settled';
    const first = before?.first ?? since;
    this.#written.set(name, { fingerprint, since, first });
    return now - first >= patience * this.#settle ? 'restless' : 'settling';
  }

  /** Forgets a file: it counts, or is gone. */
  forget(name: string): void {
    this.#written.delete(name);
  }

  /** Forgets all files: their root is gone. */
  clear(): void {
    this.#written.clear();
  }

  /** The files that are waited for, each with the monotonic time from which it counts if it stands still. */
  *waiting(): Generator<{ readonly name: string; readonly at: number }> {
    for (const [name, { since }] of this.#written) yield { name, at: since + this.#settle };
  }
}
