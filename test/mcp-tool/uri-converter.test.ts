import { describe, expect, it } from 'vitest';
import { anyAddress } from '../../src/mcp-tool/fetch/address-policy.ts';
import { createUriConverter, type UriConverter } from '../../src/mcp-tool/uri-converter.ts';
import { defaultLimits } from '../../src/mcp-tool/limits.ts';
import { createManualClock, type ManualClock } from '../support/edges/manual-clock.ts';
import { startOrigin } from './support/web-server.ts';

const never = new AbortController().signal;
const createConverter = (clock: ManualClock): UriConverter =>
  createUriConverter({ limits: defaultLimits, rule: anyAddress, resolve: async () => [], userAgent: 'test/1' }, clock);

describe('a converter that stops', () => {
  it('abandons what is under way, with its connections and timers, and refuses what comes later', async () => {
    const clock = createManualClock();
    const converter = createConverter(clock);
    const origin = await startOrigin(() => {});
    const conversion = converter.convert(`http://127.0.0.1:${origin.port}/`, never).catch((error: unknown) => error);
    const asked = await origin.arrival('/');
    const dropped = new Promise((resolve) => asked.socket.once('close', resolve));
    await converter.stop();
    expect(await conversion).toMatchObject({ reason: 'stopped' });
    await expect(converter.convert('data:,x', never)).rejects.toMatchObject({ reason: 'stopped' });
    expect(clock.waiting()).toEqual([]);
    await dropped;
    await origin.stop();
  });
});

describe('a conversion that is done', () => {
  it('leaves no timer behind', async () => {
    const clock = createManualClock();
    expect(await createConverter(clock).convert('data:,x', never)).toBe('x');
    expect(clock.waiting()).toEqual([]);
  });
});

describe('a conversion whose caller gives up', () => {
  it('ends with the reason of the caller', async () => {
    const clock = createManualClock();
    const caller = new AbortController();
    const conversion = createConverter(clock).convert('data:,x', caller.signal);
    const reason = new Error('no longer wanted');
    caller.abort(reason);
    await expect(conversion).rejects.toBe(reason);
    expect(clock.waiting()).toEqual([]);
  });
});
