import type { Clock, Stop } from '../../edges.ts';
import { type ConfinedProcess, type ProcessEnd, startConfined } from '../../net/confined-process.ts';
import { ConversionError } from '../conversion-error.ts';
import type { Limits } from '../model.ts';
import type { SourceDocument } from '../source-document.ts';
import { type ConversionMessage, type ConversionRequest, pieceLength } from './conversion-messages.ts';

const mebibyte = 1024 * 1024;
/** Milliseconds between two measurements of a process's memory. */
const memoryCheckInterval = 50;

/**
 * Converts a document in a process of its own, so that an endless or huge conversion, or one that crashes, can end
 * without harm to the server. Kills it when the signal is aborted, and when its memory exceeds the limit: V8 bounds the
 * heap only, so all that is resident is measured every 50 ms as well, where the system tells it. Settles after the
 * process has ended.
 *
 * @throws ConversionError, or the signal's reason
 */
export async function convertInProcess(
  document: SourceDocument,
  { limits, clock }: { readonly limits: Limits; readonly clock: Clock },
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const requests = requestsOf(document, limits);
  const pieces: string[] = [];
  let runs = false;
  let settled = false;
  let stopWatching: Stop = () => undefined;
  const process = startConfined(entry, heapOf(limits), (message: ConversionMessage) => {
    if (message.kind === 'failed') return reject(new ConversionError(message.reason, message.message));
    if (message.kind === 'end') return resolve(pieces.join(''));
    if (message.kind === 'ready') return void begin();
    if (message.kind === 'markdown') pieces.push(message.piece);
    process.send(requests.next().value);
  });
  const begin = async (): Promise<void> => {
    runs = true;
    const base = await process.memory();
    if (settled) return;
    const exceeded = (): void => reject(memoryError(limits));
    if (base !== undefined) stopWatching = watchMemory(process, clock, base + bytesOf(limits), exceeded);
    process.send(requests.next().value);
  };
  const aborted = (): void => reject(signal.reason);
  signal.addEventListener('abort', aborted);
  void process.ended.then((end) => reject(errorOf(end, runs, limits)));
  return promise.finally(async () => {
    settled = true;
    stopWatching();
    signal.removeEventListener('abort', aborted);
    process.kill();
    await process.ended;
  });
}

const entry = new URL('./conversion-process.ts', import.meta.url);

/** What is new has as much room as without a flag. */
function heapOf({ memoryMebibytes }: Limits): Parameters<typeof startConfined>[1] {
  return { old: memoryMebibytes, semiSpace: 16 };
}

function bytesOf({ memoryMebibytes }: Limits): number {
  return memoryMebibytes * mebibyte;
}

function* requestsOf(
  { bytes, ...document }: SourceDocument,
  { unpackedBytes }: Limits,
): Generator<ConversionRequest, never> {
  yield { kind: 'document', document, length: bytes.length, unpackedBytes };
  for (let at = 0; at < bytes.length; at += pieceLength) {
    yield { kind: 'bytes', bytes: bytes.subarray(at, at + pieceLength) };
  }
  for (;;) yield { kind: 'next' };
}

/** @param limit bytes of resident memory */
function watchMemory(process: ConfinedProcess, clock: Clock, limit: number, exceeded: () => void): Stop {
  let cancel: Stop = () => undefined;
  let watching = true;
  const check = (memory: number | undefined): void => {
    if (!watching || memory === undefined) return;
    if (memory > limit) exceeded();
    else schedule();
  };
  const schedule = (): void => {
    cancel = clock.after(memoryCheckInterval, () => void process.memory().then(check));
  };
  schedule();
  return () => {
    watching = false;
    cancel();
  };
}

/** @param runs false: it ended before its code was loaded, which says nothing of the document */
function errorOf(end: ProcessEnd, runs: boolean, limits: Limits): ConversionError {
  if (end.kind === 'heap limit') return memoryError(limits);
  if (runs) return new ConversionError('content', 'The conversion ended without a result.');
  const remedy = 'raise its limits (pids.max, ulimit -u, ulimit -n)';
  return new ConversionError('busy', `The operating system starts no process to convert documents: ${remedy}.`);
}

function memoryError({ memoryMebibytes }: Limits): ConversionError {
  return new ConversionError('memory', `The document takes more than ${memoryMebibytes} MiB of memory to convert.`);
}
