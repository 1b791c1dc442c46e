import { constants, open } from 'node:fs/promises';
import type { Clock, Stop } from '../edges.ts';
import { codeOrReason } from './errors.ts';
import { every } from './timers.ts';

/** Milliseconds between two looks. Certificates and tokens are replaced minutes before the old ones end. */
const interval = 1_000;

/** Bytes of a file. A list of all authorities of a browser has 250 KiB. */
const maxBytes = 1 << 20;

/** The contents of files, by path. */
export type FileTexts = ReadonlyMap<string, string>;

/**
 * Reads files as text.
 *
 * @throws Error whose message names the file and says why it cannot be read
 */
export async function readTexts(paths: readonly string[]): Promise<FileTexts> {
  return new Map(await Promise.all(paths.map(async (path) => [path, await readText(path)] as const)));
}

async function readText(path: string): Promise<string> {
  // Not blocking: to open a named pipe would wait for its writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw new Error(`${path} cannot be read: ${codeOrReason(error)}`);
  });
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new Error(`${path} is no file`);
    if (status.size > maxBytes) throw new Error(`${path} is larger than ${maxBytes} bytes`);
    // A file that grows meanwhile is read to the end at the next look.
    const buffer = Buffer.alloc(status.size);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** What {@link watchFiles} reports. */
export interface FilesListener {
  /** Called with all contents when some differ from the last ones that were reported, and stood still for a second. */
  changed(texts: FileTexts): void;
  /** Called with each look at which a file cannot be read. */
  failed(error: unknown): void;
}

/**
 * Looks at files every second. A look reads them, since the links of a mounted Secret change no time of the files
 * behind them; and files that are written one after another, such as a certificate and its key, are reported together.
 *
 * @param reported the contents that are known already
 */
export function watchFiles(paths: readonly string[], reported: FileTexts, clock: Clock, listener: FilesListener): Stop {
  let known = JSON.stringify([...reported]);
  let before = known;
  let reading = false;
  let stopped = false;
  const look = async (): Promise<void> => {
    const texts = await readTexts(paths);
    const now = JSON.stringify([...texts]);
    const settled = now === before;
    before = now;
    if (stopped || !settled || now === known) return;
    known = now;
    listener.changed(texts);
  };
  const stop = every(clock, interval, () => {
    if (reading) return;
    reading = true;
    look()
      .catch((error: unknown) => {
        if (!stopped) listener.failed(error);
      })
      .finally(() => {
        reading = false;
      });
  });
  return () => {
    stopped = true;
    stop();
  };
}
