import { EventEmitter } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { runCli } from '../../../src/cli/cli.ts';

/** The result of a command line that ran within this process. */
export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  /** The bytes of standard output. */
  readonly bytes: Buffer;
  readonly stderr: string;
}

/** Runs a command line that exits by itself, without the environment of this process. Standard input ends. */
export async function cli(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  { input = '', isTTY = false }: { readonly input?: string; readonly isTTY?: boolean } = {},
): Promise<CliRun> {
  const stdout = Object.assign(new PassThrough(), { isTTY });
  const stderr = new PassThrough();
  const code = await runCli({
    args,
    environment,
    stdin: Readable.from([Buffer.from(input)]),
    stdout,
    stderr,
    signals: new EventEmitter(),
    exit: (ended) => {
      throw new Error(`the process was ended with ${ended}`);
    },
  });
  const bytes = written(stdout);
  return { code, stdout: bytes.toString(), bytes, stderr: written(stderr).toString() };
}

function written(stream: PassThrough): Buffer {
  return Buffer.from(stream.read() ?? '');
}
