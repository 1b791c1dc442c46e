import { describe, expect, it } from 'vitest';
import { RpcError } from '../../../src/gateway/rpc/rpc-error.ts';
import { createListening } from '../../../src/gateway/upstream/listening.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { noCircuit } from '../../support/gateway/no-circuit.ts';

/** Listens to a target that opens each stream, and acknowledges it when the test says so. */
function createRig(refused?: string) {
  const clock = createManualClock();
  const streams: { readonly notifications: unknown; readonly about: number | undefined }[] = [];
  const listening = createListening({
    clock,
    random: () => 0,
    circuit: noCircuit,
    listen({ notifications }, signal, { about }) {
      streams.push({ notifications, about });
      if (refused !== undefined && JSON.stringify(notifications).includes(refused)) {
        return Promise.reject(new RpcError(-32602, `unknown: ${refused}`));
      }
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
    failed() {},
  });
  const { signal } = new AbortController();
  return {
    clock,
    listening,
    add: (uri: string, until = signal) => listening.add('resourceSubscriptions', uri, until),
    remove: (uri: string) => listening.remove('resourceSubscriptions', uri),
    /** Waits for the `nth` stream, counted from 1. Returns what is asked for in it. */
    async opened(nth: number) {
      await expect.poll(() => streams.length).toBe(nth);
      return streams[nth - 1]?.notifications;
    },
    acknowledge() {
      const { notifications, about } = streams.at(-1) ?? {};
      listening.received('notifications/subscriptions/acknowledged', { notifications }, about);
    },
  };
}

describe('a resource of a target of MCP 2026-07-28', () => {
  it('that is not wanted any more before its stream is opened is refused, and nobody waits for it', async () => {
    const rig = createRig();
    const first = rig.add('x:1');
    await rig.opened(1);
    const second = rig.add('x:2');
    rig.remove('x:1');
    rig.remove('x:2');
    rig.acknowledge();
    await first;
    await expect(second).rejects.toThrow('The target does not tell of changes of this resource');
  });

  it('that is unknown there is refused alone, although others are subscribed to with it', async () => {
    const rig = createRig('x:unknown');
    const adding = ['x:1', 'x:unknown', 'x:2'].map((uri) => rig.add(uri));
    const [first, unknown, second] = adding;
    const refusal = expect(unknown).rejects.toThrow('unknown: x:unknown');
    expect(await rig.opened(2)).toEqual({ resourceSubscriptions: ['x:1'] });
    rig.acknowledge();
    await Promise.all([first, refusal]);
    expect(await rig.opened(4)).toEqual({ resourceSubscriptions: ['x:1', 'x:2'] });
    rig.acknowledge();
    await second;
  });

  it('is still listened to when it is subscribed to once more in vain', async () => {
    const rig = createRig();
    const first = rig.add('x:1');
    await rig.opened(1);
    rig.acknowledge();
    await first;
    const again = rig.add('x:1');
    await rig.opened(2);
    rig.clock.advance(10_000);
    await expect(again).rejects.toThrow('no answer within 10 s');
    const other = rig.add('x:2');
    expect(await rig.opened(3)).toEqual({ resourceSubscriptions: ['x:1', 'x:2'] });
    rig.acknowledge();
    await other;
  });
});
