import type { Clock, Random } from '../../../edges.ts';
import { quoted } from '../../../json/quoted.ts';
import { backoffDelay } from '../../../rate/backoff.ts';
import type { TargetResponse } from '../../model.ts';
import type { TransportEvents, TransportParts } from '../model.ts';
import { discard, mediaTypeOf } from './http-exchange.ts';
import { type Resumption, readMessages } from './incoming-stream.ts';

/** Milliseconds. The delays that a target sets with `retry` are kept within: less would be a busy loop. */
const reconnect = { min: 1_000, max: 30_000 } as const;

/** Streams in a row that bring nothing, until the next is opened only after {@link restTime}. */
const maxFutile = 5;

/** Milliseconds. */
const restTime = 60_000;

/**
 * Reads the stream of a target's notifications, and opens it again when it ends, until the signal is aborted or the
 * target says that it has none. The delay grows until a stream brings a message, or lasts for as long as the longest
 * delay; that one could be opened changes nothing.
 *
 * @param open sends the GET request
 */
export async function followNotifications(
  parts: TransportParts,
  open: (lastEventId: string | undefined) => Promise<TargetResponse>,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, events } = parts;
  const resumption: Resumption = { lastEventId: undefined, retry: undefined };
  for (let futile = 0; !signal.aborted; ) {
    const outcome = await readOneStream(parts, open, resumption);
    if (signal.aborted || outcome.kind === 'none') return;
    futile = outcome.kind === 'useful' ? 0 : futile + 1;
    if (futile === maxFutile) events.streamFailed(outcome.reason);
    const delay = futile >= maxFutile ? restTime : reconnectDelay(Math.max(1, futile), resumption.retry, random);
    await pause(clock, delay, signal).catch(() => {});
  }
}

/** How a stream ended. `none`: the target has none. `useful`: messages came, or it stayed open. */
interface Outcome {
  readonly kind: 'none' | 'useful' | 'futile';
  readonly reason: Error;
}

async function readOneStream(
  parts: TransportParts,
  open: (lastEventId: string | undefined) => Promise<TargetResponse>,
  resumption: Resumption,
): Promise<Outcome> {
  const { clock } = parts;
  const openedAt = clock.now();
  let useful = false;
  const events: TransportEvents = {
    ...parts.events,
    received(message, size, about) {
      useful = true;
      parts.events.received(message, size, about);
    },
  };
  let reason = new Error('the stream of notifications ended without a message');
  try {
    const response = await open(resumption.lastEventId);
    const type = mediaTypeOf(response);
    if (hasNone(response)) {
      await discard(response);
      return { kind: 'none', reason };
    }
    if (response.ok && response.body !== null && type === 'text/event-stream') {
      await readMessages(response.body, { ...parts, events }, resumption);
    } else {
      reason = new Error(`the stream of notifications has status ${response.status} and type ${quoted(type)}`);
      await discard(response);
    }
  } catch (error) {
    reason = error instanceof Error ? error : new Error(String(error));
  }
  const lasted = clock.now() - openedAt >= reconnect.max;
  return { kind: useful || lasted ? 'useful' : 'futile', reason };
}

/** 405 says so; other refusals of the request will not change either. */
function hasNone({ status }: TargetResponse): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

/**
 * The delay before a stream is opened again, in milliseconds.
 *
 * @param attempt 1 for the first in a row
 * @param retry what the target asked for
 */
export function reconnectDelay(attempt: number, retry: number | undefined, random: Random): number {
  const initial = Math.min(Math.max(retry ?? reconnect.min, reconnect.min), reconnect.max);
  return backoffDelay(attempt, { initial, max: reconnect.max }, random);
}

/** Resolves after a time; rejects when the signal is aborted before. */
export function pause(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = (): void => {
    stop();
    reject(new Error('aborted'));
  };
  const stop = clock.after(milliseconds, () => {
    signal.removeEventListener('abort', abort);
    resolve();
  });
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return promise;
}
