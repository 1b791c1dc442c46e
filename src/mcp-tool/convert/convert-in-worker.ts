import { Worker } from 'node:worker_threads';
import type { Clock, Stop } from '../../edges.ts';
import type { Limits } from '../model.ts';
import { type Reason, Refusal } from '../conversion-error.ts';
import type { SourceDocument } from '../source-document.ts';

/** What the converting thread is given. */
export interface ConversionJob {
  readonly document: SourceDocument;
  readonly plainBytes: number;
}

/** What it answers, once. */
export type ConversionOutcome = { readonly markdown: string } | { readonly reason: Reason; readonly message: string };

const mebibyte = 1024 * 1024;
const memoryLooks = 50;

/**
 * Converts a document in a thread of its own, so that a document that takes for ever, or unpacks into more memory than
 * there is, costs one refusal and not the program. The thread is ended when the signal aborts and when it holds more
 * memory than the limit, which is looked at every 50 ms (V8's own limit covers its heap, but not the buffers that
 * decompressed data lies in). Settles when the thread is gone.
 */
export async function runConversion(
  document: SourceDocument,
  { limits, clock }: { readonly limits: Limits; readonly clock: Clock },
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted();
  const job: ConversionJob = { document, plainBytes: limits.plainBytes };
  const worker = new Worker(new URL('./conversion-worker.ts', import.meta.url), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: limits.memoryMebibytes },
    // Neither the environment nor the output of the program is a document's business.
    env: {},
    execArgv: [],
    stdout: true,
    stderr: true,
  });
  worker.stdout.resume();
  worker.stderr.resume();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const exhausted = (): void => reject(tooMuchMemory(limits));
  const aborted = (): void => reject(signal.reason);
  const stopWatching = watchMemory(worker, clock, limits.memoryMebibytes * mebibyte, exhausted);
  signal.addEventListener('abort', aborted);
  worker.once('message', (outcome: ConversionOutcome) => {
    if ('markdown' in outcome) resolve(outcome.markdown);
    else reject(new Refusal(outcome.reason, outcome.message));
  });
  worker.once('error', (error) => reject(isOutOfMemory(error) ? tooMuchMemory(limits) : error));
  worker.once('exit', () => reject(new Refusal('content', 'The conversion ended without a result.')));
  return promise.finally(async () => {
    stopWatching();
    signal.removeEventListener('abort', aborted);
    await worker.terminate();
  });
}

function watchMemory(worker: Worker, clock: Clock, limit: number, exhausted: () => void): Stop {
  let cancel: Stop = () => {};
  let watching = true;
  const look = (): void => {
    cancel = clock.after(memoryLooks, () => {
      worker.getHeapStatistics().then(
        ({ used_heap_size, external_memory }) => {
          if (used_heap_size + external_memory > limit) exhausted();
          else if (watching) look();
        },
        // The thread has ended: there is nothing left to watch.
        () => {},
      );
    });
  };
  look();
  return () => {
    watching = false;
    cancel();
  };
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}

function tooMuchMemory(limits: Limits): Refusal {
  return new Refusal('memory', `The document takes more than ${limits.memoryMebibytes} MiB of memory to convert.`);
}
