import { Worker } from 'node:worker_threads';
import type { Clock, Stop } from '../../edges.ts';
import { codeOf } from '../../net/errors.ts';
import { ConversionError, type Reason } from '../conversion-error.ts';
import type { Limits } from '../model.ts';
import type { SourceDocument } from '../source-document.ts';

/** `workerData` of the conversion worker. */
export interface ConversionTask {
  readonly document: SourceDocument;
  /** See {@link Limits.unpackedBytes}. */
  readonly unpackedBytes: number;
}

/** The only message that the conversion worker posts. */
export type ConversionResult = { readonly markdown: string } | { readonly reason: Reason; readonly message: string };

const mebibyte = 1024 * 1024;
/** Milliseconds between two measurements of a worker's memory. */
const memoryCheckInterval = 50;

/**
 * Converts a document in a worker thread of its own, so that an endless or huge conversion can be terminated without
 * harm to the process. Terminates the worker when the signal is aborted, and when its memory exceeds the limit: V8's
 * `resourceLimits` bound the heap only, so heap and external memory (buffers) are measured every 50 ms as well. Settles
 * after the worker has exited.
 *
 * @throws ConversionError, or the signal's reason
 */
export async function convertInWorker(
  document: SourceDocument,
  { limits, clock }: { readonly limits: Limits; readonly clock: Clock },
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted();
  const worker = startWorker({ document, unpackedBytes: limits.unpackedBytes }, limits.memoryMebibytes);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const aborted = (): void => reject(signal.reason);
  const stopWatching = watchMemory(worker, clock, limits.memoryMebibytes * mebibyte, () => reject(memoryError(limits)));
  signal.addEventListener('abort', aborted);
  worker.once('message', (result: ConversionResult) => {
    if ('markdown' in result) resolve(result.markdown);
    else reject(new ConversionError(result.reason, result.message));
  });
  worker.once('error', (error) => reject(isOutOfMemory(error) ? memoryError(limits) : error));
  worker.once('exit', () => reject(new ConversionError('content', 'The conversion ended without a result.')));
  return promise.finally(async () => {
    stopWatching();
    signal.removeEventListener('abort', aborted);
    await worker.terminate();
  });
}

/** Starts the worker without the environment, flags and output of the process. */
function startWorker(workerData: ConversionTask, memoryMebibytes: number): Worker {
  const worker = new Worker(new URL('./conversion-worker.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: memoryMebibytes },
    env: {},
    execArgv: [],
    stdout: true,
    stderr: true,
  });
  worker.stdout.resume();
  worker.stderr.resume();
  return worker;
}

/** @param limit bytes of heap and external memory */
function watchMemory(worker: Worker, clock: Clock, limit: number, exceeded: () => void): Stop {
  let cancel: Stop = () => {};
  let watching = true;
  const schedule = (): void => {
    cancel = clock.after(memoryCheckInterval, () => {
      worker.getHeapStatistics().then(
        ({ used_heap_size, external_memory }) => {
          if (used_heap_size + external_memory > limit) exceeded();
          else if (watching) schedule();
        },
        // Rejects before the worker runs, and once it has exited.
        () => {
          if (watching) schedule();
        },
      );
    });
  };
  schedule();
  return () => {
    watching = false;
    cancel();
  };
}

function isOutOfMemory(error: unknown): boolean {
  return codeOf(error) === 'ERR_WORKER_OUT_OF_MEMORY';
}

function memoryError({ memoryMebibytes }: Limits): ConversionError {
  return new ConversionError('memory', `The document takes more than ${memoryMebibytes} MiB of memory to convert.`);
}
