import { spawnSync } from 'node:child_process';

/** What a program did. */
export interface Ran {
  /** The exit code; null after a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** The whole environment. Default: that of this process. */
  readonly environment?: NodeJS.ProcessEnv;
  /** A numeric user. Default: that of this process. */
  readonly user?: number;
}

/** Runs a program to its end, at most for two minutes. */
export function run(program: string, args: readonly string[], cwd: string, options: RunOptions = {}): Ran {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    env: options.environment ?? process.env,
    encoding: 'utf8',
    timeout: 120_000,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.user === undefined ? {} : { uid: options.user, gid: options.user }),
  });
  if (error !== undefined) throw error;
  return { code: status, stdout, stderr };
}

/** Runs a program that has to succeed, and returns its standard output. */
export function succeed(program: string, args: readonly string[], cwd: string, options: RunOptions = {}): string {
  const { code, stdout, stderr } = run(program, args, cwd, options);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} exited with ${code}: ${stdout}${stderr}`);
  return stdout;
}
