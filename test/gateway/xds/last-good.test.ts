import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { day, type LastGoodRig, startLastGood } from '../../support/gateway/last-good-rig.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { config, garbage, target, targetType } from './resources.ts';

let clock: ManualClock;
let folder: string;
let file: string;
beforeEach(() => {
  clock = createManualClock();
  folder = join(temporaryFolder(), 'state');
  file = join(folder, 'last-good.ndjson');
});

const start = (options: Partial<Parameters<typeof startLastGood>[0]> = {}): Promise<LastGoodRig> =>
  startLastGood({ folder, clock, ...options });

const inForce = ({ store: { config: world } }: LastGoodRig): unknown => ({
  targets: [...world.targets.keys()],
  configs: [...world.rbacConfigs.keys()],
});

const timeOf = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** A process that has received and saved a target and two policies. */
async function saved(options: Partial<Parameters<typeof startLastGood>[0]> = {}): Promise<LastGoodRig> {
  const rig = await start(options);
  rig.state.connected();
  rig.answer('Target', { resources: [target('a/x')] });
  rig.answer('Config', { resources: [config('a.p'), config('a.q')] });
  clock.advance(1_000);
  await rig.happened('written');
  return rig;
}

describe('a start while the control plane is away', () => {
  it('puts in force what was applied last, for its user only', async () => {
    const before = await saved();
    expect([statSync(folder).mode & 0o777, statSync(file).mode & 0o777]).toEqual([0o700, 0o600]);
    expect(readdirSync(folder)).toEqual(['last-good.ndjson']);
    const rig = await start();
    expect(inForce(rig)).toEqual({ targets: ['a/x'], configs: ['a.p', 'a.q'] });
    expect([...rig.store.config.targets]).toEqual([...before.store.config.targets]);
    expect([...rig.store.config.rbacConfigs]).toEqual([...before.store.config.rbacConfigs]);
    expect(rig.store.config.rules.empty).toBe(false);
    expect(rig.events).toEqual(['restored']);
  });

  it('says which kinds are restored, and how old they are', async () => {
    await saved();
    const savedAt = clock.now();
    clock.advance(90_000);
    const rig = await start();
    const status = { savedAt: timeOf(savedAt), ageSeconds: 90, droppedAt: timeOf(savedAt + day) };
    expect(rig.state.status()).toEqual({ kinds: ['Target', 'Config'], ...status });
    rig.answer('Target', { resources: [target('a/x')] });
    expect(rig.state.status()).toEqual({ kinds: ['Config'], ...status });
    rig.answer('Config', {});
    expect(rig.state.status()).toBeNull();
  });

  it('names no versions to the control plane, so that it answers with everything', async () => {
    await saved();
    const rig = await start();
    expect(rig.store.subscriptions.map(({ versions }) => versions.size)).toEqual([0, 0]);
  });

  it('without a file starts empty, and says nothing', async () => {
    const rig = await start();
    expect([rig.events, rig.log.lines]).toEqual([[], []]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });
});

describe('the first answer of a kind', () => {
  it('replaces what was restored of it: what is not in it is gone at once', async () => {
    await saved();
    const rig = await start();
    const changes: unknown[] = [];
    rig.store.config.subscribe((change) => changes.push(change));
    rig.answer('Config', { resources: [config('a.q'), config('a.r')] });
    expect(inForce(rig)).toEqual({ targets: ['a/x'], configs: ['a.q', 'a.r'] });
    // What stays as it was is no change, so that nobody's session ends for it.
    expect(changes).toEqual([{ targets: [], rbacConfigs: ['a.r', 'a.p'] }]);
    rig.answer('Config', { resources: [config('a.s')] });
    expect(inForce(rig)).toMatchObject({ configs: ['a.q', 'a.r', 'a.s'] });
  });

  it('leaves nothing of what it names, when that is not valid', async () => {
    await saved();
    const rig = await start();
    rig.answer('Target', { resources: [garbage('a/x', targetType)] });
    rig.answer('Config', { resources: [config('a.p', [{ matcher: 1 as 0 }])] });
    expect(inForce(rig)).toEqual({ targets: [], configs: [] });
  });

  it('does not renew the age of the other kind, neither in this process nor for the next one', async () => {
    await saved();
    const savedAt = clock.now();
    clock.advance(day / 2);
    const rig = await start();
    rig.state.connected();
    rig.answer('Target', { resources: [target('a/x'), target('a/y')] });
    clock.advance(1_000);
    await rig.happened('written');
    const next = await start();
    expect(inForce(next)).toMatchObject({ targets: ['a/x', 'a/y'] });
    expect(next.state.status()).toMatchObject({ savedAt: timeOf(savedAt) });
    clock.advance(day / 2);
    expect([inForce(rig), inForce(next)]).toEqual([
      { targets: ['a/x', 'a/y'], configs: [] },
      { targets: [], configs: [] },
    ]);
  });
});

describe('state that becomes too old while the control plane stays away', () => {
  it('is given up, with a line, a count, and the file', async () => {
    await saved();
    const rig = await start();
    const changes: unknown[] = [];
    rig.store.config.subscribe((change) => changes.push(change));
    clock.advance(day - 1);
    expect(inForce(rig)).toEqual({ targets: ['a/x'], configs: ['a.p', 'a.q'] });
    clock.advance(1);
    expect([inForce(rig), rig.store.config.rules.empty]).toEqual([{ targets: [], configs: [] }, true]);
    expect(changes).toEqual([{ targets: ['a/x'], rbacConfigs: ['a.p', 'a.q'] }]);
    expect([rig.events, rig.state.status(), existsSync(file)]).toEqual([['restored', 'dropped'], null, false]);
    expect(rig.log.lines.at(-1)).toMatchObject({ level: 'error', fields: { kinds: ['Target', 'Config'] } });
  });

  it('also by a clock that was set, or a machine that slept, within half a minute', async () => {
    await saved();
    const rig = await start();
    clock.jump(day);
    clock.advance(30_000);
    expect(rig.events).toEqual(['restored', 'dropped']);
  });

  it('also when the clock is set back again and again', async () => {
    await saved();
    const rig = await start();
    for (let hour = 0; hour < 24; hour += 1) {
      clock.advance(3_600_000);
      clock.jump(-3_600_000);
    }
    expect(rig.events).toEqual(['restored', 'dropped']);
  });

  it('but not what this process has received itself', async () => {
    await saved();
    const rig = await start();
    rig.answer('Target', { resources: [target('a/x')] });
    rig.answer('Config', { resources: [config('a.p')] });
    clock.advance(2 * day);
    expect(inForce(rig)).toEqual({ targets: ['a/x'], configs: ['a.p'] });
  });
});

describe('the file', () => {
  it('is removed before something is taken away or replaced, so that a crash cannot bring it back', async () => {
    const rig = await saved();
    rig.store.config.subscribe(() => expect(existsSync(file)).toBe(false));
    rig.answer('Config', { removedResources: ['a.p'] });
    expect(existsSync(file)).toBe(false);
    expect(inForce(await start())).toEqual({ targets: [], configs: [] });
    clock.advance(1_000);
    await rig.happened('written', 2);
    expect(inForce(await start())).toEqual({ targets: ['a/x'], configs: ['a.q'] });
  });

  it('stays when something is only added, and has it a second later', async () => {
    const rig = await saved();
    rig.answer('Config', { resources: [config('a.r')] });
    expect(inForce(await start())).toEqual({ targets: ['a/x'], configs: ['a.p', 'a.q'] });
    clock.advance(1_000);
    await rig.happened('written', 2);
    expect(inForce(await start())).toEqual({ targets: ['a/x'], configs: ['a.p', 'a.q', 'a.r'] });
  });

  it('is not written by a process that has lost something meanwhile', async () => {
    const rig = await saved();
    rig.answer('Config', { resources: [config('a.r')] });
    clock.advance(1_000);
    // The write has begun, and has read the policies of this moment.
    rig.answer('Config', { removedResources: ['a.q'] });
    await clock.armed(2);
    expect(existsSync(file)).toBe(false);
    clock.advance(1_000);
    await rig.happened('written', 2);
    expect(inForce(await start())).toMatchObject({ configs: ['a.p', 'a.r'] });
  });

  it('is written once for all changes of a second', async () => {
    const rig = await saved();
    for (let number = 0; number < 100; number += 1) rig.answer('Config', { resources: [config(`a.n${number}`)] });
    clock.advance(1_000);
    await rig.happened('written', 2);
    expect(inForce(await start())).toMatchObject({ configs: { length: 102 } });
    expect(rig.events).toEqual(['written', 'written']);
  });
});

describe('a write', () => {
  it('does not happen before every kind is known', async () => {
    const rig = await start();
    rig.answer('Config', { resources: [config('a.p')] });
    await rig.state.stop();
    expect(existsSync(file)).toBe(false);
  });

  it('confirms the state while the control plane answers, and at the end of its stream and of the process', async () => {
    const rig = await saved();
    clock.advance(day / 24);
    await rig.happened('written', 2);
    expect((await start()).state.status()).toMatchObject({ savedAt: timeOf(clock.now()) });
    clock.advance(60_000);
    const end = clock.now();
    rig.state.disconnected();
    clock.advance(600_000);
    await rig.state.stop();
    expect((await start()).state.status()).toMatchObject({ savedAt: timeOf(end) });
  });

  it('that fails is one line and a count, and tried again', async () => {
    const rig = await saved();
    chmodSync(folder, 0o755);
    for (let round = 0; round < 3; round += 1) {
      rig.answer('Config', { resources: [config(`a.r${round}`)] });
      clock.advance(60_000);
      await rig.happened('failed', round + 1);
    }
    const lines = (text: string): readonly unknown[] => rig.log.lines.filter(({ message }) => message.includes(text));
    expect(lines('cannot be saved')).toMatchObject([{ level: 'warn', fields: { folder } }]);
    chmodSync(folder, 0o700);
    await clock.armed(2);
    clock.advance(60_000);
    await rig.happened('written', 2);
    expect(lines('is saved again')).toHaveLength(1);
    expect(inForce(await start())).toMatchObject({ configs: { length: 5 } });
  });

  it('that was interrupted leaves a file that is removed at the next start', async () => {
    await saved();
    const left = join(folder, '.last-good.abcdefghijklmnop.tmp');
    writeFileSync(left, 'half a line', { mode: 0o600 });
    const rig = await start();
    expect([existsSync(left), rig.events]).toEqual([false, ['restored']]);
  });
});

/** The code of an error of the disk. */
function diskError(code: string): Error {
  return Object.assign(new Error(`${code}: the disk`), { code });
}

type Task = 'remove' | 'flush' | 'write';

/** A process with saved state whose disk refuses what is named here. */
async function withFailingDisk() {
  const refuses = new Set<Task>();
  let flushes = 0;
  const check = (task: Task): void => {
    if (refuses.has(task)) throw diskError('EIO');
  };
  const rig = await saved({
    disk: (real) => ({
      ...real,
      async write(chunks, isCurrent) {
        check('write');
        return real.write(chunks, isCurrent);
      },
      remove() {
        check('remove');
        real.remove();
      },
      async flush() {
        check('flush');
        await real.flush();
        flushes += 1;
      },
    }),
  });
  const failures = (): number => rig.events.filter((event) => event === 'failed').length;
  const lines = (text: string): number => rig.log.lines.filter(({ message }) => message.includes(text)).length;
  return { rig, refuses, flushes: () => flushes, failures, lines };
}

describe('a removal', () => {
  it('that fails is tried again until the file is gone, whether or not anything can be written', async () => {
    const { rig, refuses, failures, lines } = await withFailingDisk();
    for (const task of ['remove', 'write'] as const) refuses.add(task);
    rig.answer('Config', { removedResources: ['a.p'] });
    expect([existsSync(file), failures()]).toEqual([true, 1]);
    refuses.delete('remove');
    clock.advance(1_000);
    expect(existsSync(file)).toBe(false);
    await expect.poll(() => lines('that had to go is removed')).toBe(1);
  });

  it('that fails is tried ever more seldom, once a minute at last, and said once', async () => {
    const { rig, refuses, failures, lines } = await withFailingDisk();
    refuses.add('remove');
    rig.state.narrowing();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 10; attempt += 1) waits.push(clock.next());
    expect(failures()).toBe(11);
    expect(waits[0]).toBeLessThanOrEqual(1_000);
    for (const wait of waits.slice(-3)) expect(wait).toBeGreaterThanOrEqual(30_000);
    for (const wait of waits) expect(wait).toBeLessThanOrEqual(60_000);
    expect(lines('a restart would use it')).toBe(1);
  });

  it('that fails is over when the file is replaced by one without what was taken away', async () => {
    const { rig, refuses, lines } = await withFailingDisk();
    refuses.add('remove');
    rig.answer('Config', { removedResources: ['a.p'] });
    clock.advance(1_000);
    await rig.happened('written', 2);
    refuses.delete('remove');
    clock.advance(600_000);
    expect(inForce(await start())).toMatchObject({ configs: ['a.q'] });
    expect(lines('that had to go is removed')).toBe(1);
  });

  it('that fails is tried once more at the end of the process', async () => {
    const { rig, refuses } = await withFailingDisk();
    for (const task of ['remove', 'write'] as const) refuses.add(task);
    rig.answer('Config', { removedResources: ['a.p'] });
    refuses.delete('remove');
    await rig.state.stop();
    expect(existsSync(file)).toBe(false);
  });

  it('is flushed to the disk, and that is tried again until it has worked', async () => {
    const { rig, refuses, flushes, failures } = await withFailingDisk();
    const before = flushes();
    refuses.add('flush');
    rig.state.narrowing();
    await rig.happened('failed');
    expect([existsSync(file), failures()]).toEqual([false, 1]);
    refuses.delete('flush');
    clock.advance(1_000);
    await expect.poll(flushes).toBe(before + 1);
    // What is left renews the state, once an hour.
    for (const wait of clock.waiting()) expect(wait).toBeGreaterThan(60_000);
  });
});
