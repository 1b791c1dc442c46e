import { type Observable, Subject } from 'rxjs';
import type { Clock, Stop } from '../../../edges.ts';
import type { RootScanner } from './root-scanner.ts';
import type { ScanQueue } from './scan-queue.ts';

/** Requests the scans of the files that were written in place, when each has stood still for long enough. */
export class SettleTimer {
  readonly #scanners: readonly RootScanner[];
  readonly #queue: ScanQueue;
  readonly #clock: Clock;
  readonly #due = new Subject<void>();
  #cancel: Stop = () => undefined;

  constructor(scanners: readonly RootScanner[], queue: ScanQueue, clock: Clock) {
    this.#scanners = scanners;
    this.#queue = queue;
    this.#clock = clock;
  }

  /** Emits when scans are in the queue. */
  get due(): Observable<void> {
    return this.#due;
  }

  /** Waits for the first of the files: call it after each scan. */
  arm(): void {
    this.cancel();
    let first = Number.POSITIVE_INFINITY;
    for (const { at } of this.#waiting()) first = Math.min(first, at);
    if (first === Number.POSITIVE_INFINITY) return;
    this.#cancel = this.#clock.after(Math.max(0, first - this.#clock.monotonic()), () => {
      const now = this.#clock.monotonic();
      for (const { root, name, at } of this.#waiting()) if (at <= now) this.#queue.add(root, name);
      this.#due.next();
    });
  }

  cancel(): void {
    this.#cancel();
  }

  *#waiting(): Generator<{ readonly root: number; readonly name: string; readonly at: number }> {
    for (const [root, scanner] of this.#scanners.entries()) {
      for (const { name, at } of scanner.settling()) yield { root, name, at };
    }
  }
}
