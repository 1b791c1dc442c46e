import type { Readable, Writable } from 'node:stream';
import type { Environment } from './flags.ts';
import type { Signals } from './signals.ts';

/** What a command has of the process that it runs in. */
export interface Terminal {
  readonly args: readonly string[];
  readonly environment: Environment;
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly signals: Signals;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
}

/** 0: fine. 1: the answer is no. 2: used wrongly. 3: the environment failed. */
export type ExitCode = 0 | 1 | 2 | 3;

/** The environment failed: a port in use, an unreadable file. The message is for the person at the terminal. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}
