import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Clock, Stop } from '../../../edges.ts';
import { shortened } from '../../../json/quoted.ts';
import { codeOf } from '../../../net/errors.ts';
import type { Manifest, PlacedObject } from '../manifest/parse-manifest.ts';
import { longestWord, type PossibleObjects, WordCollector } from '../manifest/possible-objects.ts';

/** `workerData` of the worker. */
export interface ParseTask {
  readonly text: string;
  readonly namespaces: readonly string[];
}

/** What is known of a manifest after its objects. */
export type ManifestEnd =
  | Omit<Extract<Manifest, { readonly ok: true }>, 'objects'>
  | Extract<Manifest, { readonly ok: false }>;

/** A message of the worker. After some objects it waits for one. */
export type WorkerMessage =
  | { readonly kind: 'objects'; readonly objects: readonly PlacedObject[] }
  | { readonly kind: 'end'; readonly end: ManifestEnd };

/** Limits of one parse in a worker. */
export interface WorkerLimits {
  /** Milliseconds of processor time. */
  readonly time: number;
  /** MiB of heap. */
  readonly memory: number;
}

/** Milliseconds between two measurements of a worker. */
const checkInterval = 250;

/**
 * Parses a text in a worker thread of its own. A worker that takes too long, needs too much memory or dies otherwise
 * makes this text one that does not parse. The time is that of its processor, because an honest file must not be refused
 * for a machine that is busy; only a worker that cannot be asked is measured by the clock. Settles after the worker has
 * exited, and never rejects.
 *
 * @param take is called with the objects, in pieces that take some milliseconds each; they count only if it ends well
 * @param signal ends the worker
 * @returns undefined once the signal is aborted
 */
export async function parseInWorker(
  task: ParseTask,
  limits: WorkerLimits,
  clock: Clock,
  signal: AbortSignal,
  take: (objects: readonly PlacedObject[]) => void,
): Promise<ManifestEnd | undefined> {
  const { promise, resolve } = Promise.withResolvers<ManifestEnd | { readonly failed: string } | undefined>();
  const worker = startWorker(task, limits.memory);
  const aborted = (): void => resolve(undefined);
  const fail = (what: string): void => resolve({ failed: what });
  const tooLong = (): void => fail(`takes more than ${limits.time / 1000} s`);
  const cancel = watchTime(worker, limits.time, clock, tooLong);
  signal.addEventListener('abort', aborted);
  worker.on('message', (message: WorkerMessage) => {
    if (message.kind === 'end') return resolve(message.end);
    take(message.objects);
    // Not within this turn: others that are due go first.
    setImmediate(() => worker.postMessage('next'));
  });
  worker.once('error', (error) => fail(reasonOf(error, limits)));
  const exited = new Promise<void>((exit) => worker.once('exit', () => exit()));
  void exited.then(() => fail('ends without a result'));
  const result = await promise;
  cancel();
  signal.removeEventListener('abort', aborted);
  if (result === undefined || 'failed' in result) void worker.terminate();
  // With a result it ends by itself: Node has crashed while workers were ended that came to their end.
  await exited;
  // Also between its result and its exit.
  if (signal.aborted || result === undefined) return undefined;
  if (!('failed' in result)) return result;
  const reason = `To parse the file ${result.failed}: split it.`;
  // Not in the worker: it may have no memory left.
  const possible = await possibleInPieces(task.text);
  return signal.aborted ? undefined : { ok: false, position: undefined, reason, possible };
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

/**
 * MiB of the young generation of a worker's heap. What parsing makes lives until its end, so that more of it speeds nothing
 * up: with Node's default the process takes 100 MiB more for a file of 1 MB.
 */
const youngGeneration = 16;

/** Starts the worker without the environment, flags and output of the process. */
function startWorker(workerData: ParseTask, memory: number): Worker {
  const worker = new Worker(new URL('./parse-worker.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: memory, maxYoungGenerationSizeMb: youngGeneration },
    env: {},
    execArgv: [],
    stdout: true,
    stderr: true,
  });
  worker.stdout.resume();
  worker.stderr.resume();
  return worker;
}

/** Calls `exceeded` when the worker has used its processor time, or ten times as long has passed. */
function watchTime(worker: Worker, time: number, clock: Clock, exceeded: () => void): Stop {
  const end = clock.monotonic() + 10 * time;
  let cancel: Stop = () => undefined;
  const check = ({ user, system }: { readonly user: number; readonly system: number }): void => {
    if ((user + system) / 1000 > time) exceeded();
  };
  const schedule = (): void => {
    cancel = clock.after(checkInterval, () => {
      if (clock.monotonic() > end) return exceeded();
      // Rejects before the worker runs, and once it has exited.
      worker.cpuUsage().then(check, () => undefined);
      schedule();
    });
  };
  schedule();
  return () => cancel();
}

function reasonOf(error: Error, { memory }: WorkerLimits): string {
  const outOfMemory = codeOf(error) === 'ERR_WORKER_OUT_OF_MEMORY';
  return outOfMemory ? `takes more than ${memory} MiB of memory` : `fails (${shortened(error.message)})`;
}
