import type { Random } from '../../../edges.ts';
import { quoted } from '../../../json/quoted.ts';
import { Deadline } from '../../../net/deadline.ts';
import { pause } from '../../../net/timers.ts';
import { backoffDelay } from '../../../rate/backoff.ts';
import type { TargetResponse } from '../../model.ts';
import type { TransportEvents, TransportParts, UpstreamParts } from '../model.ts';
import { discard, mediaTypeOf } from './http-exchange.ts';
import { type Resumption, readMessages } from './incoming-stream.ts';

/** Milliseconds. The delays that a target sets with `retry` are kept within: less would be a busy loop. */
const reconnect = { min: 1_000, max: 30_000 } as const;

/** Streams in a row that end without a message, until the next is opened only after {@link restTime}. */
const maxFutile = 5;

/** Milliseconds. */
const restTime = 60_000;

/**
 * Reads the stream of a target's notifications, and opens it again when it ends, until the signal is aborted or the
 * target says that it has none, or after a stream that it has no such session any more, as after its restart: then the
 * connection is lost. The delay grows until a stream brings a message, or lasts for as long as the longest delay; that
 * one could be opened changes nothing.
 *
 * @param open sends the GET request
 */
export async function followNotifications(
  parts: TransportParts,
  open: (lastEventId: string | undefined) => Promise<TargetResponse>,
  signal: AbortSignal,
): Promise<void> {
  const { random, events } = parts;
  const resumption: Resumption = { lastEventId: undefined, retry: undefined };
  let opened = false;
  for (let futile = 0; !signal.aborted; ) {
    const outcome = await readOneStream(parts, open, resumption);
    if (signal.aborted) return;
    if (outcome.kind === 'refused') {
      if (opened && saysUnknown(outcome.status)) events.lost(new Error('the target no longer knows this session'));
      return;
    }
    opened ||= outcome.kind !== 'unreachable';
    futile = outcome.kind === 'useful' ? 0 : futile + 1;
    if (futile === maxFutile) events.streamFailed(outcome.reason);
    const isResting = futile >= maxFutile && outcome.kind === 'futile';
    const delay = isResting ? restTime : reconnectDelay(Math.max(1, futile), resumption.retry, random);
    await pauseForTarget(parts, delay, signal).catch(() => {});
  }
}

/**
 * How a stream ended. `useful`: messages came, or it stayed open. `unreachable`: it was not opened, which may change
 * soon.
 */
type Outcome =
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'useful' | 'futile' | 'unreachable'; readonly reason: Error };

/** Returns whether a refusal says that there is no such session, and not that of credentials or of any stream. */
function saysUnknown(status: number): boolean {
  return ![401, 403, 405].includes(status);
}

/**
 * Returns whether a refusal may be that of the event to continue after, which the target does not keep for ever; the
 * next stream then begins without one. 404 is said of the session (MCP 2025-11-25, Session Management).
 */
function forgetsEvent(status: number, resumption: Resumption): boolean {
  const isOfEvent = resumption.lastEventId !== undefined && status !== 404 && saysUnknown(status);
  if (isOfEvent) resumption.lastEventId = undefined;
  return isOfEvent;
}

async function readOneStream(
  parts: TransportParts,
  open: (lastEventId: string | undefined) => Promise<TargetResponse>,
  resumption: Resumption,
): Promise<Outcome> {
  const { clock } = parts;
  const openedAt = clock.monotonic();
  let useful = false;
  const events: TransportEvents = {
    ...parts.events,
    received(message, size, about) {
      useful = true;
      parts.events.received(message, size, about);
    },
  };
  let reason = new Error('the stream of notifications ended without a message');
  let isReached = false;
  try {
    const response = await open(resumption.lastEventId);
    const { status } = response;
    isReached = status < 500;
    const type = mediaTypeOf(response);
    if (isRefusal(status) && !forgetsEvent(status, resumption)) {
      await discard(response);
      return { kind: 'refused', status };
    }
    if (response.ok && response.body !== null && type === 'text/event-stream') {
      await readMessages(response.body, { ...parts, events }, resumption);
    } else {
      reason = new Error(`the stream of notifications has status ${status} and type ${quoted(type)}`);
      await discard(response);
    }
  } catch (error) {
    reason = error instanceof Error ? error : new Error(String(error));
  }
  if (!isReached) return { kind: 'unreachable', reason };
  const lasted = clock.monotonic() - openedAt >= reconnect.max;
  return { kind: useful || lasted ? 'useful' : 'futile', reason };
}

/**
 * 405 says that there is no stream; other refusals of the request will not change either. 409 says that the last stream
 * is open: servers made with the SDKs have one for a session, and may learn of its end later than the gateway.
 */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && ![408, 409, 429].includes(status);
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

/**
 * Resolves after a time, or soon when the circuit of the target closes meanwhile: as long after that as before a first
 * attempt, so that all who wait for the target do not come at once. Rejects with the signal's reason when that is
 * aborted.
 */
export async function pauseForTarget(
  { clock, random, circuit }: Pick<UpstreamParts, 'clock' | 'random' | 'circuit'>,
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  const until = clock.monotonic() + milliseconds;
  const wait = new Deadline(clock, signal);
  const stopWaiting = circuit.whenClosed(() => wait.abort());
  try {
    await pause(clock, milliseconds, wait.signal);
  } catch {
    signal.throwIfAborted();
    await pause(clock, Math.min(until - clock.monotonic(), reconnectDelay(1, undefined, random)), signal);
  } finally {
    stopWaiting();
    wait.release();
  }
}
