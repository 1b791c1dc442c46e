import { readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { expect, it } from 'vitest';
import type { Clock } from '../../../../src/edges.ts';
import {
  type Manifest,
  type PlacedObject,
  parseManifest,
} from '../../../../src/source/files/manifest/parse-manifest.ts';
import { parseInProcess } from '../../../../src/source/files/parsing/parse-in-process.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';
import { systemClock } from '../../../support/edges/system-clock.ts';
import { startedProcesses } from '../../../support/processes/started-processes.ts';
import { documents, keysText, namespaceText, serviceText } from '../manifests.ts';

const folder = new URL('../../../golden/', import.meta.url);
const goldens = readdirSync(folder)
  .filter((name) => name.endsWith('.in.yaml'))
  .map((name) => readFileSync(new URL(name, folder), 'utf8'));
const never = new AbortController().signal;
const enough = { time: 60_000, memory: 256 };

/** Parses a text, with all of its objects. @param taken is called with the number of each piece of them */
async function parse(
  text: string,
  limits = enough,
  clock: Clock = systemClock,
  taken: (objects: number) => void = () => undefined,
): Promise<Manifest | undefined> {
  const objects: PlacedObject[] = [];
  const end = await parseInProcess({ text, namespaces: [] }, limits, clock, never, (some) => {
    objects.push(...some);
    taken(some.length);
  });
  if (typeof end === 'string') throw new Error(end);
  return end?.ok === true ? { ...end, objects } : end;
}

it('a process returns what the main thread would: objects, places and messages', async () => {
  const text = documents(
    serviceText('a'),
    namespaceText('b', 'team: red, __proto__: x, stage: yes'),
    'kind: 5\n',
    'apiVersion: v1\nkind: Namespace\nmetadata: {<<: {name: c}}\n',
  );
  expect(await parse(text)).toEqual(parseManifest(text, []));
  expect(await parse(`${text}---\n"`)).toEqual(parseManifest(`${text}---\n"`, []));
});

it('a process returns the objects of all golden worlds as the main thread would, to the prototype', async () => {
  const worlds = goldens.filter((text) => parseManifest(text, []).ok);
  const text = documents(...worlds);
  expect(worlds.length).toBeGreaterThan(50);
  expect(isDeepStrictEqual(await parse(text), parseManifest(text, []))).toBe(true);
});

it('a process returns many objects in pieces, each in a turn of the event loop of its own', async () => {
  const text = documents(...Array.from({ length: 625 }, (_, at) => serviceText(`s${at}`)));
  let turn = 0;
  const turns: number[] = [];
  const pieces: number[] = [];
  const next = (): void => {
    turn += 1;
    counting = globalThis.setImmediate(next);
  };
  let counting = globalThis.setImmediate(next);
  const parsed = await parse(text, enough, systemClock, (objects) => {
    pieces.push(objects);
    turns.push(turn);
  });
  clearImmediate(counting);
  expect(parsed).toEqual(parseManifest(text, []));
  expect(pieces).toEqual([250, 250, 125]);
  expect(new Set(turns).size).toBe(3);
});

it('a process that needs too much memory makes its text one that does not parse, and harms nothing else', async () => {
  const reason = 'To parse the file takes more than 16 MiB of memory: split it.';
  const text = `${keysText(200_000)}---\n${serviceText('last')}`;
  const failed = await parse(text, { time: 60_000, memory: 16 });
  // It has more different words than are kept.
  expect(failed).toMatchObject({ ok: false, reason, possible: 'any' });
  const short = await parse(`${'- [x]\n'.repeat(100_000)}---\n${serviceText('last')}`, { time: 60_000, memory: 16 });
  const possible = short?.ok === false && short.possible !== 'any' ? short.possible.names.get('Service') : undefined;
  expect(possible?.has('last')).toBe(true);
  expect(await parse(serviceText('a'))).toMatchObject({ ok: true });
});

it('a process that is ended between its result and its exit has none', async () => {
  const abort = new AbortController();
  // The timer that watches it is cancelled with its result.
  const clock: Clock = { ...systemClock, after: () => () => abort.abort() };
  const task = { text: serviceText('a'), namespaces: [] };
  expect(await parseInProcess(task, enough, clock, abort.signal, () => undefined)).toBeUndefined();
  expect(abort.signal.aborted).toBe(true);
});

it('a process that takes too long by its processor is ended', async () => {
  const reason = 'To parse the file takes more than 0.001 s: split it.';
  const impatient: Clock = {
    ...systemClock,
    after: (delay, run) => systemClock.after(delay === 250 ? 1 : delay, run),
  };
  expect(await parse(keysText(200_000), { time: 1, memory: 256 }, impatient)).toMatchObject({ ok: false, reason });
});

it('a process that does not say what it took is ended after ten times as long', async () => {
  const clock = createManualClock();
  const { promise: looked, resolve } = Promise.withResolvers<void>();
  const after: Clock['after'] = (delay, run) => {
    if (delay === 250) resolve();
    return clock.after(delay, run);
  };
  const parsing = parse(keysText(200_000), { time: 60_000, memory: 256 }, { ...clock, after });
  await looked;
  clock.advance(600_251);
  expect(await parsing).toMatchObject({ ok: false, reason: 'To parse the file takes more than 60 s: split it.' });
  expect(clock.waiting()).toEqual([]);
});

it('a process that is killed from outside says nothing of its text', async () => {
  const abort = new AbortController();
  const killing: Clock = {
    ...systemClock,
    after(delay, run) {
      // The first look at it, once it runs.
      if (delay === 250) for (const pid of startedProcesses()) process.kill(pid, 'SIGKILL');
      return systemClock.after(delay, run);
    },
  };
  const task = { text: keysText(200_000), namespaces: [] };
  expect(await parseInProcess(task, enough, killing, abort.signal, () => undefined)).toBe('killed');
});
