import type { Clock } from '../../edges.ts';
import { type Backoff, backoffDelay } from '../../rate/backoff.ts';
import { RateLimiter } from '../../rate/rate-limiter.ts';
import type { MessageSize } from '../rpc/model.ts';
import { messageBounds } from './answer-limits.ts';
import type { UpstreamParts } from './model.ts';

/**
 * Units: a value of JSON, or 256 bytes, or a line that is no event. A message costs at least 100, since it costs as
 * much time whatever is in it: 200 small messages a second, after 2,000 at once. At once, as much as the largest single
 * message has.
 */
const unsolicited = { rate: 20_000, burst: messageBounds.maxValues } as const;
const bytesPerUnit = 256;
const minUnits = 100;

const most = `${unsolicited.rate / minUnits} small messages a second`;

/** A target sent more messages that nobody asked for, or more text that is no message, than it may. */
export class FloodError extends Error {
  override readonly name = 'FloodError';

  constructor() {
    super(`the target sends more than was asked for, and faster than ${most}: no connection to it for a time`);
  }
}

/** Limits what one connection brings that no request of the gateway asked for. */
export interface FloodGuard {
  /** @throws FloodError beyond the limit */
  message(size: MessageSize): void;
  /**
   * Counts a notification of a kind that a tool of an honest target sends for each row that it handles. Too many are no
   * flood, which would keep all callers from the target because of one of them: they are read no faster than they may
   * be sent.
   */
  notification(size: MessageSize): void;
  /**
   * Resolves when more may be read of the stream whose notifications were counted last, if these are beyond the limit;
   * `undefined`: at once. Call it in the same turn as {@link notification}, so that no other stream waits for them: an
   * answer would never be read beside a stream that brings more and more. Streams that wait go on in turn.
   */
  pace(): Promise<void> | undefined;
  /**
   * Counts lines that are no messages.
   *
   * @throws FloodError beyond the limit
   */
  lines(lines: number): void;
}

/** The time without connections after a flood, in milliseconds. */
const floodBackoff: Backoff = { initial: 2_000, max: 60_000 };

/** Starts with the full burst. */
export function createFloodGuard(clock: Clock): FloodGuard {
  const limiter = new RateLimiter(clock, unsolicited);
  // Of their own: what is no flood must not make the next line one.
  const paced = new RateLimiter(clock, unsolicited);
  /** Units that were read and not taken, since {@link FloodGuard.pace} was called. */
  let owed = 0;
  let turn = Promise.resolve();
  const take = (units: number): void => {
    if (limiter.tryTake(units) > 0) throw new FloodError();
  };
  const settle = async (before: Promise<void>, units: number): Promise<void> => {
    await before;
    for (;;) {
      const delay = paced.tryTake(units);
      if (delay === 0) return;
      await new Promise<void>((resolve) => void clock.after(delay, resolve));
    }
  };
  return {
    message: (size) => take(unitsOf(size)),
    notification(size) {
      const units = unitsOf(size);
      if (owed > 0 || paced.tryTake(units) > 0) owed += units;
    },
    pace() {
      if (owed === 0) return undefined;
      turn = settle(turn, Math.min(owed, unsolicited.burst));
      owed = 0;
      return turn;
    },
    lines: take,
  };
}

function unitsOf({ bytes, values }: MessageSize): number {
  return Math.max(minUnits, values, Math.ceil(bytes / bytesPerUnit));
}

/** Refuses new connections to the target of a flood for a time, which doubles until a minute passes without one. */
export function noteFlood({ memory, clock, random }: UpstreamParts): void {
  const quiet = clock.monotonic() - memory.refusedUntil > floodBackoff.max;
  memory.floods = quiet ? 1 : memory.floods + 1;
  memory.refusedUntil = clock.monotonic() + backoffDelay(memory.floods, floodBackoff, random);
}
