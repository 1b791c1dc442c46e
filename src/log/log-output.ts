import { writeFileSync } from 'node:fs';

/** Where the lines of a log go. */
export interface LogOutput {
  /** Writes lines, or returns `false` and keeps nothing of them when there is no room. Never blocks, never throws. */
  write(lines: string): boolean;
  /** Calls `run` once when there is room again. */
  whenRoom(run: () => void): void;
}

/** Characters that wait for a reader of the stream. Lines beyond are lost: without one, they would fill the memory. */
const maxUnread = 1024 * 1024;

/** The part of a stream that a log needs. */
export interface UnreadStream {
  /** How much waits. */
  readonly writableLength: number;
  /** Writes synchronously if there is room. */
  write(text: string): unknown;
  once(event: 'drain', listener: () => void): unknown;
}

/** Writes to a pipe, a socket or a terminal. Node keeps without a limit what nobody reads, so the limit is here. */
export function streamOutput(stream: UnreadStream): LogOutput {
  return {
    write: (lines) => {
      if (stream.writableLength > maxUnread) return false;
      stream.write(lines);
      return true;
    },
    whenRoom: (run) => void stream.once('drain', run),
  };
}

/**
 * Writes to a file or a device. Node's stream of a file ends with its first error: after a full disk has room again,
 * the log would stay silent until the program is started anew.
 */
export function fileOutput(descriptor: number): LogOutput {
  const waiting: (() => void)[] = [];
  return {
    write: (lines) => {
      try {
        writeFileSync(descriptor, lines);
      } catch {
        return false;
      }
      for (const run of waiting.splice(0)) run();
      return true;
    },
    whenRoom: (run) => void waiting.push(run),
  };
}
