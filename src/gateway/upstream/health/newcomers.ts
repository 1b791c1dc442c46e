import type { Clock } from '../../../edges.ts';

/** Milliseconds in which the new targets of a namespace are doubted, after one of them has kept clients waiting. */
const doubtTime = 60_000;

/**
 * Targets whose lists were never waited for. Each may keep the lists of all clients waiting once, for as long as a list
 * may take, so whoever makes new ones again and again, or changes one, would always keep them waiting: those who may do
 * that share a namespace.
 */
export class Newcomers {
  readonly #clock: Clock;
  readonly #known = new Set<string>();
  /** When a new target was late last, by namespace, in monotonic milliseconds; in the order of these times. */
  readonly #late = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns whether a target is new, and others of its namespace were late when they were. */
  isDoubted(target: string): boolean {
    const late = this.#late.get(namespaceOf(target));
    return late !== undefined && this.#clock.monotonic() - late < doubtTime && !this.#known.has(target);
  }

  /** A list of it was answered, or is left out from now on. */
  settled(target: string): void {
    this.#known.add(target);
  }

  /**
   * Clients have waited for a list of it, and did not get one. One that was removed or changed meanwhile is forgotten
   * before, and so as new as it was.
   */
  late(target: string): void {
    if (this.#known.has(target)) return;
    const now = this.#clock.monotonic();
    for (const [namespace, late] of this.#late) {
      if (now - late < doubtTime) break;
      this.#late.delete(namespace);
    }
    const own = namespaceOf(target);
    this.#late.delete(own);
    this.#late.set(own, now);
  }

  /** Call when a target was changed or removed: it is new again. */
  forget(target: string): void {
    this.#known.delete(target);
  }
}

/** Returns the namespace of a target, with its slash: those of the control plane are named `<namespace>/<name>`. */
export function namespaceOf(target: string): string {
  return target.slice(0, target.indexOf('/') + 1) || target;
}
