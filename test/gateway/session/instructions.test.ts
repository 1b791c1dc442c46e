import { expect, it, onTestFinished, vi } from 'vitest';
import { createInstructions, type InstructionsParts } from '../../../src/gateway/session/instructions.ts';
import type { TargetMemory } from '../../../src/gateway/upstream/model.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { startGateway } from '../../support/gateway/gateway-rig.ts';
import { type Script, startRawTarget } from '../../support/gateway/raw-target.ts';
import { initialize, post, readEvents } from '../../support/nodes/raw-client.ts';

const quiet: Script = () => ({ result: {} });

async function instructionsFor(gateway: Parameters<typeof post>[0], token: string): Promise<unknown> {
  const message = await readEvents(await post(gateway, token, undefined, initialize())).next();
  return Object(message?.['result']).instructions;
}

it('the instructions of the only target are passed on as they are', async () => {
  await using target = await startRawTarget(quiet, { instructions: 'Use me\nwell.' });
  await using gateway = await startGateway();
  gateway.config.putTarget(target.target('a'));
  gateway.config.allowAll('n.p', 'me');
  expect(await instructionsFor(gateway, gateway.token('me'))).toBe('Use me\nwell.');
});

it('the instructions of several targets are joined below their names, for those who may use something there', async () => {
  await using one = await startRawTarget(quiet, { instructions: 'First.' });
  await using other = await startRawTarget(quiet, { instructions: 'Second.' });
  await using silent = await startRawTarget(quiet);
  await using gateway = await startGateway();
  for (const [name, target] of Object.entries({ a: one, b: other, c: silent }))
    gateway.config.putTarget(target.target(name));
  gateway.config.allowAll('n.all', 'me');
  gateway.config.allow('n.one', 'you', 'prompt', 'b:x');
  expect(await instructionsFor(gateway, gateway.token('me'))).toBe('# a\n\nFirst.\n\n# b\n\nSecond.');
  expect(await instructionsFor(gateway, gateway.token('you'))).toBe('# b\n\nSecond.');
  expect(await instructionsFor(gateway, gateway.token('nobody'))).toBeUndefined();
  const handshakes = one.received.filter(({ method }) => method === 'initialize');
  expect(handshakes, 'a later session knows what the first one was told').toHaveLength(1);
});

it('a target that does not answer only lacks its own instructions, and long ones are cut', async () => {
  await using long = await startRawTarget(quiet, { instructions: 'x'.repeat(1_000_000) });
  await using gateway = await startGateway();
  gateway.config.putTarget({ name: 'gone', host: '127.0.0.1', port: 1, path: '/mcp' });
  gateway.config.putTarget(long.target('long'));
  gateway.config.allowAll('n.p', 'me');
  expect(await instructionsFor(gateway, gateway.token('me'))).toBe(`# long\n\n${'x'.repeat(8 * 1024)}`);
});

it.each([false, true])(
  'a handshake of more than 1 MiB is not read to its end, of a target without one, too: %s',
  async (stateless) => {
    await using large = await startRawTarget(quiet, { instructions: 'x'.repeat(1_100_000), stateless });
    await using gateway = await startGateway();
    gateway.config.putTarget(large.target('large'));
    gateway.config.allowAll('n.p', 'me');
    const parse = vi.spyOn(JSON, 'parse');
    onTestFinished(() => void parse.mockRestore());
    expect(await instructionsFor(gateway, gateway.token('me'))).toBeUndefined();
    expect(parse.mock.calls.filter(([text]) => text.length > 1_000_000)).toEqual([]);
    expect(gateway.downstream.targetState('large').requests).toMatchObject({ result: 0 });
  },
);

it('only the first of many sessions waits for a target whose handshakes fail, until some time has passed', async () => {
  const clock = createManualClock();
  // It answers, so that its circuit stays closed, but with more than a message may have.
  const deep = JSON.parse('{"a":'.repeat(600) + '{}' + '}'.repeat(600));
  await using failing = await startRawTarget(quiet, { capabilities: deep });
  await using good = await startRawTarget(quiet, { instructions: 'Good.' });
  await using gateway = await startGateway({ clock });
  gateway.config.putTarget(failing.target('failing'));
  gateway.config.putTarget(good.target('good'));
  gateway.config.allowAll('n.p', 'me');
  const asked = () => failing.received.filter(({ method }) => method === 'initialize').length;
  for (let sessions = 0; sessions < 5; sessions += 1) {
    expect(await instructionsFor(gateway, gateway.token('me'))).toBe('# good\n\nGood.');
  }
  const first = asked();
  expect(first).toBeGreaterThan(0);
  clock.advance(30_000);
  await instructionsFor(gateway, gateway.token('me'));
  expect(asked()).toBe(2 * first);
});

it('targets that are not known are connected to in a turn of the caller, and others in none', async () => {
  const steps: string[] = [];
  const memories = new Map<string, TargetMemory>();
  const upstream = (target: string): object => ({
    async capabilities() {
      steps.push(target);
      memories.set(target, { ...emptyMemory, handshake: { capabilities: {}, instructions: `of ${target}` } });
      return {};
    },
  });
  const parts: object = {
    clock: createManualClock(),
    authorization: { allowsAnythingOf: () => true },
    upstreams: { get: upstream, targetNames: () => ['a', 'b'] },
    memories,
    sharedListing: { turns: { toMake: async (caller: string) => void steps.push(caller) } },
  };
  const instructions = createInstructions(parts as InstructionsParts);
  for (let session = 0; session < 2; session += 1) {
    const text = await instructions({ kind: 'anonymous', reason: 'stdio' }, new AbortController().signal);
    expect(text).toBe('# a\n\nof a\n\n# b\n\nof b');
  }
  expect(steps).toEqual(['anonymous', 'a', 'b']);
});

const emptyMemory: TargetMemory = {
  transports: new Map(),
  floods: 0,
  refusedUntil: 0,
  handshake: undefined,
  paramHeaders: undefined,
  listsForgotten: 0,
};
