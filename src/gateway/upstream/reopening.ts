import { RpcError } from '../rpc/rpc-error.ts';
import { AnswerLimitError } from './answer-limits.ts';
import { FloodError } from './flood-guard.ts';
import type { UpstreamParts } from './model.ts';
import { HttpStatusError } from './transport/http-exchange.ts';
import { pauseForTarget, reconnectDelay } from './transport/notification-stream.ts';

/** Connects a session again that was lost. */
export interface Reopening {
  /** Call it after each handshake. */
  connected(): void;
  /** Call it when the connection is lost, or cannot be opened. */
  failed(reason: unknown): void;
}

/** A connection that lasted for this time, in milliseconds, is no reason to wait longer before the next one. */
const lastingTime = 60_000;

/**
 * Connects again after a loss for a client who was connected, with backoff, until that succeeds or the target refuses
 * it.
 *
 * @param signal aborted when the session ends
 * @param open connects, unless there is a connection
 */
export function createReopening(
  parts: Pick<UpstreamParts, 'clock' | 'random' | 'input' | 'circuit'>,
  signal: AbortSignal,
  open: () => Promise<unknown>,
): Reopening {
  const { clock, random, input } = parts;
  let failures = 0;
  let connectedAt: number | undefined;
  let isRunning = false;
  const run = async (): Promise<void> => {
    for (;;) {
      failures += 1;
      await pauseForTarget(parts, reconnectDelay(failures, undefined, random), signal);
      try {
        await open();
        return;
      } catch (error) {
        if (isRefusal(error)) return;
      }
    }
  };
  return {
    connected() {
      connectedAt = clock.monotonic();
    },
    failed(reason) {
      if (isRunning || signal.aborted || connectedAt === undefined || input === 'refused' || isRefusal(reason)) return;
      if (clock.monotonic() - connectedAt >= lastingTime) failures = 0;
      isRunning = true;
      // It rejects at the end of the session.
      const stopped = (): void => {
        isRunning = false;
      };
      run().then(stopped, stopped);
    },
  };
}

/**
 * Returns whether another attempt would end in the same way: the target refuses this client, or was no target of MCP.
 */
function isRefusal(error: unknown): boolean {
  if (error instanceof HttpStatusError) return error.status < 500 && ![408, 429].includes(error.status);
  if ([RpcError, FloodError, AnswerLimitError].some((final) => error instanceof final)) return true;
  return error instanceof Error && error.cause !== undefined && isRefusal(error.cause);
}
