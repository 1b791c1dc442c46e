import { describe, expect, it, vi } from 'vitest';
import { allowAnyAddress } from '../../src/mcp-tool/fetch/address-policy.ts';
import { defaultLimits } from '../../src/mcp-tool/mcp-tool.ts';
import { createUriConverter, type UriConverter } from '../../src/mcp-tool/uri-converter.ts';
import { createManualClock, type ManualClock } from '../support/edges/manual-clock.ts';
import { conversionProcesses } from './support/conversion-processes.ts';
import { startWebServer } from './support/web-server.ts';

const never = new AbortController().signal;
/** The HTML parser takes quadratic time for elements that are not closed. */
const endless = `data:text/html,${'<div>'.repeat(100_000)}`;
const createConverter = (clock: ManualClock): UriConverter =>
  createUriConverter(
    { limits: defaultLimits, addressPolicy: allowAnyAddress, resolve: async () => [], userAgent: 'test/1' },
    clock,
  );

describe('stopping the converter', () => {
  it('aborts running conversions with their connections and timers, and rejects later ones', async () => {
    const clock = createManualClock();
    const converter = createConverter(clock);
    const origin = await startWebServer(() => {});
    const conversion = converter.convert(`http://127.0.0.1:${origin.port}/`, never).catch((error: unknown) => error);
    const request = await origin.firstRequest('/');
    const dropped = new Promise((resolve) => request.socket.once('close', resolve));
    await converter.stop();
    expect(await conversion).toMatchObject({ reason: 'stopped' });
    await expect(converter.convert('data:,x', never)).rejects.toMatchObject({ reason: 'stopped' });
    expect(clock.waiting()).toEqual([]);
    await dropped;
    await origin.stop();
  });

  it('resolves when their processes have ended', async () => {
    const clock = createManualClock();
    const converter = createConverter(clock);
    const conversion = converter.convert(endless, never).catch((error: unknown) => error);
    // Timers: the time limit and the memory check of the process, once it runs.
    await clock.armed(2);
    expect(conversionProcesses()).toHaveLength(1);
    await converter.stop();
    expect(await conversion).toMatchObject({ reason: 'stopped' });
    expect(conversionProcesses()).toEqual([]);
    expect(clock.waiting()).toEqual([]);
  });
});

describe('a finished conversion', () => {
  it('leaves no timer', async () => {
    const clock = createManualClock();
    expect(await createConverter(clock).convert('data:,x', never)).toBe('x');
    expect(clock.waiting()).toEqual([]);
  });
});

describe('a conversion that its caller aborts', () => {
  it('rejects with the reason of the abort', async () => {
    const clock = createManualClock();
    const caller = new AbortController();
    const conversion = createConverter(clock).convert('data:,x', caller.signal);
    const reason = new Error('no longer wanted');
    caller.abort(reason);
    await expect(conversion).rejects.toBe(reason);
    expect(clock.waiting()).toEqual([]);
  });

  it('rejects when its process has ended, also before that runs', async () => {
    for (const timers of [1, 2]) {
      const clock = createManualClock();
      const caller = new AbortController();
      const conversion = createConverter(clock).convert(endless, caller.signal);
      await clock.armed(timers);
      await vi.waitUntil(() => conversionProcesses().length > 0);
      const reason = new Error('no longer wanted');
      caller.abort(reason);
      await expect(conversion).rejects.toBe(reason);
      expect(conversionProcesses()).toEqual([]);
      expect(clock.waiting()).toEqual([]);
    }
  });
});
