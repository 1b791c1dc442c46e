import type { Readable, Writable } from 'node:stream';
import type { Environment } from './flags.ts';
import type { Signals } from './signals.ts';

/** The process of a command, as parameters. */
export interface Terminal {
  readonly args: readonly string[];
  readonly environment: Environment;
  readonly stdin: Readable;
  /** `rows`: the height of a terminal. */
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly rows?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly signals: Signals;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
}

/** 0: success. 1: the command ran and its answer is no. 2: usage error. 3: environment error, or a bug. */
export type ExitCode = 0 | 1 | 2 | 3;
