import type { Clock } from '../../../src/edges.ts';
import { createManualClock } from './manual-clock.ts';

interface Turns {
  readonly clock: Clock;
  /** Takes the next turn of the event loop, if one is due. */
  readonly take: () => void;
  /** How many are due. */
  readonly count: () => number;
  readonly advance: (milliseconds: number) => void;
  readonly waiting: () => readonly number[];
}

/** A clock of which each turn of the event loop is taken by itself. */
export function createTurns(): Turns {
  const manual = createManualClock();
  const turns = new Set<() => void>();
  const take = (): void => {
    const [turn] = turns;
    if (turn === undefined) return;
    turns.delete(turn);
    turn();
  };
  const clock: Clock = {
    ...manual,
    after(milliseconds, run) {
      if (milliseconds > 0) return manual.after(milliseconds, run);
      const turn = (): void => run();
      turns.add(turn);
      return () => void turns.delete(turn);
    },
  };
  return { clock, take, count: () => turns.size, advance: manual.advance, waiting: manual.waiting };
}
