import { describe, expect, it } from 'vitest';
import type { ApiRequest, ApiResponse } from '../../../../src/kube/model.ts';
import {
  ApiReader,
  type ReadConnection,
  type StreamEnd,
  type StreamHandler,
  type StreamOptions,
} from '../../../../src/source/cluster/api/reader.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';

/** Reads an answer that has one more byte every 100 seconds, for an hour. */
async function drip(options?: StreamOptions): Promise<{ readonly end: StreamEnd; readonly seconds: number }> {
  const clock = createManualClock();
  const start = clock.now();
  const body = async function* (signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    for (let drop = 0; drop < 36; drop += 1) {
      clock.advance(100_000);
      signal?.throwIfAborted();
      yield Buffer.from(' ');
    }
  };
  const send = async ({ signal }: ApiRequest): Promise<ApiResponse> => ({
    status: 200,
    header: () => 'application/json',
    body: body(signal),
  });
  const connection: ReadConnection = {
    server: 'http://api',
    send,
    forgetCredentials: () => undefined,
    reconnect: () => undefined,
    onSuccess: () => () => undefined,
  };
  const handler: StreamHandler = { opened: () => undefined, data: () => 'continue' };
  const end = await new ApiReader(connection, clock).stream('/x', new AbortController().signal, handler, options);
  expect(clock.waiting()).toEqual([]);
  return { end, seconds: (clock.now() - start) / 1_000 };
}

describe('an answer that comes byte by byte', () => {
  it('is given up after five minutes, so that it holds up no revocation', async () => {
    const { end, seconds } = await drip();
    expect(end).toMatchObject({
      end: 'failed',
      error: { reason: 'silent', message: expect.stringContaining('300 s') },
    });
    expect(seconds).toBe(300);
  });

  it('may take any time if it is a watch', async () => {
    expect(await drip({ timeLimit: 'none' })).toEqual({ end: { end: 'complete' }, seconds: 3_600 });
  });
});
