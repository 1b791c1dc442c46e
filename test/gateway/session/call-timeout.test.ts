import { describe, expect, it } from 'vitest';
import { objectIn } from '../../../src/json/json.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import type { Script } from '../../support/gateway/raw-target.ts';
import { startTargetRig, type TargetRigOptions } from '../../support/gateway/target-rig.ts';

const limit = 600_000;

/** A gateway whose clock only the test advances, with a target whose calls follow the script. */
async function startRig(script: Script, options: Pick<TargetRigOptions, 'callTimeoutOf'> = {}) {
  const clock = createManualClock();
  const rig = await startTargetRig(
    (request, say) => (request.method === 'tools/call' ? script(request, say) : { result: {} }),
    {
      clock,
      ...options,
    },
  );
  rig.gateway.config.allowAll('ns.all', 'me');
  return { ...rig, clock, client: await rig.open() };
}

describe('a call that its target does not answer', () => {
  it('ends with an error after the time limit, and the target is told', async () => {
    await using rig = await startRig(() => undefined);
    const calling = rig.client.request('tools/call', { name: 'a:slow' });
    const { id } = await rig.target.arrival('tools/call');
    // The headers of the response go out after some milliseconds; a client that does not take them is cut.
    rig.clock.advance(10);
    await rig.client.request('ping');
    rig.clock.advance(limit - 11);
    expect(rig.target.received.some(({ method }) => method === 'notifications/cancelled')).toBe(false);
    rig.clock.advance(1);
    expect((await calling).error).toEqual({
      code: -32000,
      message: 'Target a does not answer: no answer within 600 s (--call-timeout)',
    });
    expect((await rig.target.arrival('notifications/cancelled')).params).toMatchObject({ requestId: id });
    expect(await rig.gateway.log.line('does not answer')).toMatchObject({
      fields: { reason: 'no answer within 600 s (--call-timeout)' },
    });
  });

  it('has the time of its target or method, if that is another one', async () => {
    const callTimeoutOf = (target: string, method: string): number =>
      `${target} ${method}` === 'a tools/call' ? 10 : 1;
    await using rig = await startRig(() => undefined, { callTimeoutOf });
    const calling = rig.client.request('tools/call', { name: 'a:slow' });
    await rig.target.arrival('tools/call');
    rig.clock.advance(9);
    expect(rig.target.received.some(({ method }) => method === 'notifications/cancelled')).toBe(false);
    rig.clock.advance(1);
    expect((await calling).error?.message).toContain('no answer within 0.01 s (--method-timeout)');
  });

  it('has as much time again after each progress, but not after that of another call', async () => {
    const steps: (() => void)[] = [];
    await using rig = await startRig(({ params }, say) => {
      const { progressToken } = objectIn(params, '_meta');
      steps.push(() => say('notifications/progress', { progressToken, progress: steps.length }));
      return undefined;
    });
    const progressed: unknown[] = [];
    const next = (): Promise<void> => new Promise((resolve) => said.push(resolve));
    const said: (() => void)[] = [];
    const call = (token: string) =>
      rig.client.request(
        'tools/call',
        { name: 'a:slow', _meta: { progressToken: token } },
        {
          said: (message) => {
            progressed.push(objectIn(message, 'params')['progressToken']);
            said.shift()?.();
          },
        },
      );
    const working = call('working');
    await rig.target.arrival('tools/call');
    const silent = call('silent');
    await rig.target.arrival('tools/call', 2);
    for (let step = 0; step < 3; step++) {
      rig.clock.advance(limit / 2 - 1);
      const arrived = next();
      steps[0]?.();
      await arrived;
    }
    expect((await silent).error?.message).toContain('no answer within');
    expect(progressed).toEqual(['working', 'working', 'working']);
    rig.clock.advance(limit);
    expect((await working).error?.message).toContain('no answer within');
  });
});
