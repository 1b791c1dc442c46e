import { EventEmitter } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { runCli } from '../../../src/cli/cli.ts';

/** The result of a command line that ran within this process. */
export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface CliOptions {
  readonly input?: string;
  readonly isTTY?: boolean;
}

/** Runs a command line that exits by itself, without the environment of this process. Standard input ends. */
export async function cli(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  options: CliOptions = {},
): Promise<CliRun> {
  const { code, stdout, stderr } = await run(args, environment, options);
  return { code, stdout: stdout.toString(), stderr: stderr.toString() };
}

/** Runs a command line as {@link cli} does; returns the bytes that it writes to standard output. */
export async function cliBytes(args: readonly string[], options: CliOptions): Promise<Buffer> {
  return (await run(args, {}, options)).stdout;
}

async function run(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  { input = '', isTTY = false }: CliOptions,
): Promise<{ readonly code: number; readonly stdout: Buffer; readonly stderr: Buffer }> {
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
  return { code, stdout: written(stdout), stderr: written(stderr) };
}

function written(stream: PassThrough): Buffer {
  return Buffer.from(stream.read() ?? '');
}
