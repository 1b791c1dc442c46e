import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock, Stop } from '../../../edges.ts';
import { shortened } from '../../../json/quoted.ts';
import {
  type ConfinedProcess,
  type HeapLimits,
  type ProcessEnd,
  startConfined,
} from '../../../net/confined-process.ts';
import type { Manifest, PlacedObject } from '../manifest/parse-manifest.ts';
import { longestWord, type PossibleObjects, WordCollector } from '../manifest/possible-objects.ts';

/** The first message to the process. Each further one asks for the next message of it, and is `next`. */
export interface ParseTask {
  readonly text: string;
  readonly namespaces: readonly string[];
}

/** What is known of a manifest after its objects. */
export type ManifestEnd =
  | Omit<Extract<Manifest, { readonly ok: true }>, 'objects'>
  | Extract<Manifest, { readonly ok: false }>;

/** A message of the process: it runs, some of the objects, and the end. */
export type ParseMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'objects'; readonly objects: readonly PlacedObject[] }
  | { readonly kind: 'end'; readonly end: ManifestEnd }
  | { readonly kind: 'failed'; readonly message: string };

/** Limits of one parse. */
export interface ParseLimits {
  /** Milliseconds of processor time. */
  readonly time: number;
  /** MiB of heap. */
  readonly memory: number;
}

/** Milliseconds between two measurements of the process. */
const checkInterval = 250;

/** Milliseconds that a process may take before it runs. */
const startLimit = 30_000;

/** How a parse came to its end: with a result, or not because of the text, or because of what ended it. */
type Outcome = ManifestEnd | { readonly failed: string } | 'no process' | 'killed' | undefined;

/**
 * Parses a text in a process of its own. One that takes too long, needs too much memory or ends without a result makes this
 * text one that does not parse. The time is that of its processor, because an honest file must not be refused for a machine
 * that is busy; only where the system does not tell it, it is that of the clock. Settles after the process has ended, and
 * never rejects.
 *
 * @param take is called with the objects, in pieces that take some milliseconds each; they count only if it ends well
 * @param signal ends the process
 * @returns undefined once the signal is aborted; `no process`: none could be started; `killed`: a
 * signal ended it, as where a machine has no memory left. Both say nothing of the text
 */
export async function parseInProcess(
  task: ParseTask,
  limits: ParseLimits,
  clock: Clock,
  signal: AbortSignal,
  take: (objects: readonly PlacedObject[]) => void,
): Promise<ManifestEnd | 'no process' | 'killed' | undefined> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  let runs = false;
  // Before it runs, nothing of it is the fault of the text.
  const fail = (what: string): void => resolve(runs ? { failed: what } : 'no process');
  const aborted = (): void => resolve(undefined);
  const process = startConfined(entry, heapOf(limits), (message: ParseMessage) => {
    if (message.kind === 'end') return resolve(message.end);
    if (message.kind === 'failed') return fail(`fails (${shortened(message.message)})`);
    if (message.kind === 'objects') take(message.objects);
    else begin();
    // Not within this turn: others that are due go first.
    setImmediate(() => process.send(message.kind === 'ready' ? task : 'next'));
  });
  let cancel = clock.after(startLimit, () => fail('does not begin'));
  const begin = (): void => {
    runs = true;
    cancel();
    cancel = watchTime(process, limits, clock, () => fail(`takes more than ${limits.time / 1000} s`));
  };
  signal.addEventListener('abort', aborted);
  void process.ended.then((end) => {
    if (runs && end.kind === 'signal') resolve('killed');
    else fail(reasonOf(end, limits));
  });
  const outcome = await promise;
  cancel();
  signal.removeEventListener('abort', aborted);
  process.kill();
  await process.ended;
  // Also between its result and its exit.
  if (signal.aborted || outcome === undefined) return undefined;
  if (typeof outcome === 'string' || !('failed' in outcome)) return outcome;
  const end = await unparsed(task.text, `To parse the file ${outcome.failed}: split it.`);
  return signal.aborted ? undefined : end;
}

/** The end of a text that was not parsed. Not made in the process, which may have no memory left. */
export async function unparsed(text: string, reason: string): Promise<ManifestEnd> {
  return { ok: false, position: undefined, reason, possible: await possibleInPieces(text) };
}

/** UTF-16 code units whose words are looked at in one turn of the event loop: less than 10 ms. */
const piece = 64 * 1024;

/** Finds out what a text may define, without regard to its documents. */
async function possibleInPieces(text: string): Promise<PossibleObjects> {
  const words = new WordCollector();
  for (let at = 0; at < text.length; at += piece) {
    words.addPiece(text.slice(Math.max(0, at - longestWord), at + piece));
    await nextTurn();
  }
  words.endDocument();
  return words.found();
}

const entry = new URL('./parse-process.ts', import.meta.url);

/** What parsing makes lives until its end, so that more room for what is new speeds nothing up. */
function heapOf({ memory }: ParseLimits): HeapLimits {
  return { old: memory, semiSpace: 4 };
}

/** Milliseconds by the clock, for a process that gets little of the processor, or does not say what it used. */
function longest({ time }: ParseLimits): number {
  return 10 * time;
}

/** Calls `exceeded` when the process has used its processor time, or {@link longest} has passed. */
function watchTime(process: ConfinedProcess, limits: ParseLimits, clock: Clock, exceeded: () => void): Stop {
  const end = clock.monotonic() + longest(limits);
  let cancel: Stop = () => undefined;
  const check = (used: number | undefined): void => {
    if (used !== undefined && used > limits.time) exceeded();
  };
  const schedule = (): void => {
    cancel = clock.after(checkInterval, () => {
      if (clock.monotonic() > end) return exceeded();
      void process.processorTime().then(check);
      schedule();
    });
  };
  schedule();
  return () => cancel();
}

function reasonOf(end: ProcessEnd, { memory }: ParseLimits): string {
  return end.kind === 'heap limit' ? `takes more than ${memory} MiB of memory` : 'ends without a result';
}
