import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { nodeEnvironment, nodeFlags } from './node-flags.ts';

/** `npm run build` makes `dist/main.js`, which runs without a compile cache, as in an image. */
const built = process.env['BENCH_ENTRY'];
const entry = built ?? fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const { NODE_COMPILE_CACHE, ...withoutCache } = nodeEnvironment;
const variables = built === undefined ? nodeEnvironment : withoutCache;

/** `gatehouse <args>` as a child process. */
export interface GatehouseProcess extends AsyncDisposable {
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Settles with the first log line that contains the text; rejects if the process exits without one. */
  line(text: string): Promise<string>;
  /** The address in the log's "listening" line of that listener. */
  listening(listener: string): Promise<string>;
  signal(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGUSR1' | 'SIGKILL'): void;
  ended(): Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

/** Starts the program with the given environment, and the variables that Node needs. */
export function gatehouse(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): GatehouseProcess {
  return startProcess(entry, args, { ...variables, ...environment });
}

/** Starts the program of this entry file with these variables, and those that say where things are. */
export function startProcess(
  file: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): GatehouseProcess {
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  const child = spawn(process.execPath, [...nodeFlags, file, ...args], {
    env: { PATH, HOME, ...(TMPDIR !== undefined && { TMPDIR }), ...environment },
    stdio: 'pipe',
  });
  child.stdin.end();
  const text = { stdout: '', stderr: '' };
  let news = Promise.withResolvers<void>();
  const wake = (): void => {
    news.resolve();
    news = Promise.withResolvers();
  };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
      wake();
    });
  }
  const ended = closed(child);
  let over = false;
  void ended.then(() => {
    over = true;
    wake();
  });
  const line = async (wanted: string): Promise<string> => {
    for (;;) {
      const lines = text.stderr.split('\n').slice(0, -1);
      const found = lines.find((candidate) => candidate.includes(wanted));
      if (found !== undefined) return found;
      if (over) throw new Error(`gatehouse ${args.join(' ')} ended without "${wanted}":\n${text.stderr}`);
      await news.promise;
    }
  };
  return {
    pid: child.pid ?? 0,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    line,
    listening: async (listener) => {
      const found: { address: string } = JSON.parse(await line(`"listener":"${listener}"`));
      return found.address;
    },
    signal: (signal) => void child.kill(signal),
    ended: () => ended,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function closed(child: ChildProcess): Promise<{ readonly code: number | null; readonly signal: string | null }> {
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}
