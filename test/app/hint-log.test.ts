import { describe, expect, it } from 'vitest';
import { hintLog } from '../../src/app/hint-log.ts';
import { HintWatch } from '../../src/app/hint-watch.ts';
import type { Finding } from '../../src/explain/model.ts';
import { createManualClock, type ManualClock } from '../support/edges/manual-clock.ts';
import { createRecordedLog, type RecordedLog } from '../support/edges/recorded-log.ts';

/** Milliseconds between the turns of one look. */
const pause = 20;

function hint(name: string): Finding {
  const at = { kind: 'Gateway', key: `default/${name}`, path: ['spec', 'listeners', 0] } as const;
  return { severity: 'warning', from: 'hint', at, message: `Mend ${name}.` };
}

interface Rig {
  readonly clock: ManualClock;
  readonly log: RecordedLog;
  readonly hints: HintWatch;
  /** The hints of the next look; an error is thrown by it. */
  world: readonly (Finding | undefined | Error)[];
  looks: number;
  /** A report waits for this before it logs anything. */
  places: Promise<void>;
  /** The steps that were taken in each turn of the event loop. */
  readonly turns: number[];
}

/** @param step milliseconds that each step of a look takes */
function createRig(step = 0): Rig {
  const clock = createManualClock();
  const log = createRecordedLog();
  const rig: Omit<Rig, 'hints'> = { clock, log, world: [], looks: 0, turns: [], places: Promise.resolve() };
  const explainer = {
    *hints(): Generator<Finding | undefined> {
      rig.looks += 1;
      for (const one of rig.world) {
        if (one instanceof Error) throw one;
        rig.turns.push((rig.turns.pop() ?? 0) + 1);
        passed += step;
        yield one;
      }
    },
  };
  let passed = 0;
  const stepping = {
    now: clock.now,
    monotonic: () => clock.monotonic() + passed,
    after: (milliseconds: number, run: () => void) =>
      clock.after(milliseconds, () => {
        rig.turns.push(0);
        run();
      }),
  };
  const placesOf = async (fields: readonly { readonly object: string }[]) => {
    await rig.places;
    return fields.map(({ object }) => `file.yaml:1:1 ${object}`);
  };
  return Object.assign(rig, {
    hints: new HintWatch({ explainer, report: hintLog({ placesOf, clock, log }), delay: 1_000, clock: stepping, log }),
  });
}

async function look(rig: Rig): Promise<void> {
  rig.hints.changed();
  rig.clock.next();
  while (rig.clock.waiting().includes(pause)) rig.clock.next();
  await new Promise(setImmediate);
}

const linesOf = ({ log }: Rig): readonly string[] => log.lines.map(({ level, message }) => `${level} ${message}`);

describe('the log of hints', () => {
  it('has one line for each hint with its place, and one when it is gone', async () => {
    const rig = createRig();
    rig.world = [undefined, hint('a'), hint('b')];
    await look(rig);
    await look(rig);
    expect(linesOf(rig)).toEqual(['warn Mend a.', 'warn Mend b.']);
    expect(rig.log.lines[0]?.fields).toEqual({
      place: 'file.yaml:1:1 Gateway default/a',
      object: 'Gateway default/a',
      field: 'spec.listeners[0]',
    });
    rig.world = [hint('b')];
    await look(rig);
    expect(linesOf(rig).slice(2)).toEqual(['info a hint is gone']);
  });

  it('looks once for many changes, a second after the first of them', async () => {
    const rig = createRig();
    for (let n = 0; n < 100; n += 1) rig.hints.changed();
    expect(rig.clock.waiting()).toEqual([1000]);
    rig.clock.next();
    await new Promise(setImmediate);
    expect(rig.looks).toBe(1);
    expect(rig.clock.waiting()).toEqual([]);
  });

  it('divides a long look into turns, and looks again after a change during one', async () => {
    const rig = createRig(2);
    rig.world = Array.from({ length: 9 }, () => undefined);
    rig.hints.changed();
    rig.clock.next();
    rig.hints.changed();
    while (rig.clock.waiting().includes(pause)) rig.clock.next();
    await new Promise(setImmediate);
    expect(rig.turns).toEqual([3, 3, 3, 0]);
    expect(rig.clock.waiting()).toEqual([1000]);
  });

  it('lists twenty hints and counts the others', async () => {
    const rig = createRig();
    rig.world = Array.from({ length: 50 }, (_, n) => hint(`g${n}`));
    await look(rig);
    await look(rig);
    expect(rig.log.lines.length).toBe(21);
    expect(rig.log.lines.at(-1)).toMatchObject({ level: 'warn', fields: { more: 30 } });
  });

  it('never says of a hint that it is gone while it holds, however many others come before it', async () => {
    const rig = createRig();
    const old = Array.from({ length: 20 }, (_, n) => hint(`old${n}`));
    rig.world = old;
    await look(rig);
    rig.world = [hint('new0'), hint('new1'), ...old];
    await look(rig);
    expect(linesOf(rig).slice(20)).toEqual([expect.stringContaining('there are more hints')]);
    rig.world = [hint('new0'), hint('new1'), ...old.slice(1)];
    await look(rig);
    expect(linesOf(rig).slice(21)).toEqual([
      'warn Mend new0.',
      'info a hint is gone',
      expect.stringContaining('there are more hints'),
    ]);
    expect(rig.log.lines.at(-2)?.fields).toMatchObject({ object: 'Gateway default/old0' });
  });
});

it('the log of hints has sixty lines about many looks, and then one in each that counts', async () => {
  const rig = createRig();
  for (let time = 0; time < 30; time += 1) {
    rig.world = Array.from({ length: 20 }, (_, n) => hint(`${time % 2}-${n}`));
    await look(rig);
  }
  expect(rig.log.lines.length).toBe(60 + 29);
  const named = rig.log.lines.filter(({ fields }) => fields['object'] !== undefined).length;
  const counted = rig.log.lines.reduce((sum, { fields }) => sum + Number(fields['more'] ?? 0), 0);
  expect(named + counted).toBe(20 + 29 * 40);
});

describe('the watch for hints', () => {
  it('looks again after a change during a look that failed', async () => {
    const rig = createRig(2);
    rig.world = [...Array.from({ length: 9 }, () => undefined), new Error('broken')];
    rig.hints.changed();
    rig.clock.next();
    rig.hints.changed();
    while (rig.clock.waiting().includes(pause)) rig.clock.next();
    expect(linesOf(rig)).toEqual(['error internal error: looking for hints failed']);
    expect(rig.clock.waiting()).toEqual([1000]);
  });
  it('survives a bug, and looks again after the next change', async () => {
    const rig = createRig();
    rig.world = [new Error('broken')];
    await look(rig);
    rig.world = [hint('a')];
    await look(rig);
    expect(linesOf(rig)).toEqual(['error internal error: looking for hints failed', 'warn Mend a.']);
  });

  it('is silent after its stop', async () => {
    const rig = createRig();
    rig.world = [hint('a')];
    rig.hints.changed();
    await rig.hints.stop();
    expect(rig.clock.waiting()).toEqual([]);
    rig.hints.changed();
    expect(rig.clock.waiting()).toEqual([]);
  });

  it('is silent after a stop in the middle of a look', async () => {
    const rig = createRig(2);
    rig.world = [hint('a'), ...Array.from({ length: 9 }, () => undefined)];
    rig.hints.changed();
    rig.clock.next();
    expect(rig.clock.waiting()).toEqual([pause]);
    rig.hints.changed();
    await rig.hints.stop();
    expect([rig.clock.waiting(), linesOf(rig)]).toEqual([[], []]);
  });

  it('waits at its stop for a report that has begun, which then says nothing', async () => {
    const rig = createRig();
    const { promise, resolve } = Promise.withResolvers<void>();
    rig.places = promise;
    rig.world = [hint('a')];
    await look(rig);
    let stopped = false;
    const stopping = rig.hints.stop().then(() => {
      stopped = true;
    });
    await new Promise(setImmediate);
    expect(stopped).toBe(false);
    resolve();
    await stopping;
    expect([rig.clock.waiting(), linesOf(rig)]).toEqual([[], []]);
  });
});
