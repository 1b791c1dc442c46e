import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { parseDockerfile } from '../../../../scripts/install-check/dockerfile.ts';

const entry = fileURLToPath(new URL('../../../../src/main.ts', import.meta.url));
const preload = new URL('./loop-preload.ts', import.meta.url).href;

/** Sent by the preloaded file, again and again. Milliseconds, the most since the start or the last reset. */
export interface LoopReport {
  readonly standstill: number;
  /** CPU time of the main thread between two ticks. */
  readonly cpu: number;
}

/** Sent to the preloaded file. */
export type LoopRequest = 'reset';

/** What a process has open and in memory. */
export interface Footprint {
  /** Bytes. */
  readonly resident: number;
  /** At most: its own highest one, and the highest of the processes that it has started. */
  readonly peak: number;
  readonly descriptors: number;
  readonly sockets: number;
}

/** A program, started as its Deployment starts it, and watched from within and from outside. */
export interface WatchedProcess extends AsyncDisposable {
  /** The port in the log's "listening" line of that listener. */
  listening(listener: string): Promise<number>;
  /** Undefined while it runs; a sentence once it has ended. */
  death(): string | undefined;
  /** Undefined when the process has ended. */
  footprint(): Footprint | undefined;
  /** CPU time of all its threads, in milliseconds; 0 when it has ended. */
  cpuTime(): number;
  /** Begins to measure the event loop anew. */
  resetLoop(): void;
  /** The last report of the event loop. */
  loop(): LoopReport;
  /** Resolves with the next report of the event loop, or when the process has ended. */
  turned(): Promise<void>;
  /** The lines on standard error so far. */
  lines(): readonly string[];
}

/** @param args of the program; the environment of its Deployment and these variables are set */
export function startWatched(
  program: 'gateway' | 'serve',
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): WatchedProcess {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, ['--import', preload, entry, program, ...args], {
    env: { PATH, HOME, ...deployedEnvironment(program), ...variables },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const log = followLog(child);
  let loop: LoopReport = { standstill: 0, cpu: 0 };
  let reported = Promise.withResolvers<void>();
  const wake = (): void => {
    reported.resolve();
    reported = Promise.withResolvers();
  };
  let startedPeak = 0;
  child.on('message', (report: LoopReport) => {
    loop = report;
    startedPeak = Math.max(startedPeak, peakOfStarted(child.pid ?? 0));
    wake();
  });
  let death: string | undefined;
  const ended = new Promise<void>((resolve) => {
    child.once('close', (code, signal) => {
      // What is no entry of the log says why, such as an assertion of Node and its stack.
      const last = log.lines().filter((line) => !line.startsWith('{'));
      death = [`ended with ${signal ?? code}`, ...last.slice(-30)].join('\n');
      log.end(death);
      wake();
      resolve();
    });
  });
  return {
    listening: async (listener) => {
      const { address }: { readonly address: string } = JSON.parse(await log.line(`"listener":"${listener}"`));
      return Number(address.slice(address.lastIndexOf(':') + 1));
    },
    death: () => death,
    footprint() {
      const own = death === undefined ? footprintOf(child.pid ?? 0) : undefined;
      return own && { ...own, peak: own.peak + startedPeak };
    },
    cpuTime: () => (death === undefined ? cpuTimeOf(child.pid ?? 0) : 0),
    resetLoop: () => void child.send('reset' satisfies LoopRequest),
    loop: () => loop,
    turned: () => (death === undefined ? reported.promise : Promise.resolve()),
    lines: log.lines,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

interface FollowedLog {
  lines(): readonly string[];
  /** The first line with this text; rejects when the process ends without one. */
  line(text: string): Promise<string>;
  end(reason: string): void;
}

function followLog(child: ChildProcess): FollowedLog {
  const lines: string[] = [];
  let rest = '';
  let over: string | undefined;
  let news = Promise.withResolvers<void>();
  const wake = (): void => {
    news.resolve();
    news = Promise.withResolvers();
  };
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    wake();
  });
  return {
    lines: () => lines,
    async line(text) {
      for (;;) {
        const found = lines.find((line) => line.includes(text));
        if (found !== undefined) return found;
        if (over !== undefined) throw new Error(`the program ${over} without ${text}:\n${lines.join('\n')}`);
        await news.promise;
      }
    },
    end(reason) {
      over = reason;
      wake();
    },
  };
}

const dockerfile = new URL('../../../../Dockerfile', import.meta.url);
const images = { serve: 'gatehouse', gateway: 'mcp-gateway' };

/** Manifests with the containers of the two programs. */
const manifests = {
  serve: new URL('../../../../deploy/base/deployment.yaml', import.meta.url),
  gateway: new URL('../../../../deploy/examples/guide/4-mcp-gateway.yaml', import.meta.url),
};

/** The guide's gateway sets no limits of its own; its heap is that of the control plane. */
const heap = '--max-old-space-size=768';

/** The variables that an image and its Deployment set for Node itself. */
function deployedEnvironment(program: 'gateway' | 'serve'): Readonly<Record<string, string>> {
  const [deployment] = parseAllDocuments(readFileSync(manifests[program], 'utf8'));
  const env: unknown = deployment?.toJS()?.spec?.template?.spec?.containers?.[0]?.env;
  const variables: readonly { readonly name: string; readonly value?: unknown }[] = Array.isArray(env) ? env : [];
  const ofNode = variables.filter(({ name }) => name === 'NODE_OPTIONS' || name.startsWith('MALLOC_'));
  const image = parseDockerfile(readFileSync(dockerfile, 'utf8')).get(images[program])?.environment;
  return {
    ...image,
    NODE_OPTIONS: `${heap} ${image?.['NODE_OPTIONS'] ?? ''}`,
    ...Object.fromEntries(ofNode.map(({ name, value }) => [name, String(value)])),
  };
}

/** Milliseconds of one clock tick of the kernel's statistics. */
const clockTick = 10;

/** CPU time of all threads of a process, in milliseconds. */
export function cpuTimeOf(pid: number): number {
  // The second field, the name in brackets, may contain spaces; user and system time are the 14th and the 15th.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * clockTick;
}

/** Undefined when there is no such process any more. */
export function footprintOf(pid: number): Footprint | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const bytes = (field: string): number =>
      Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
    const open = readdirSync(`/proc/${pid}/fd`).map((name) => linkOf(`/proc/${pid}/fd/${name}`));
    // A process that is ending has no memory any more.
    if (Number.isNaN(bytes('VmHWM'))) return undefined;
    return {
      resident: bytes('VmRSS'),
      peak: bytes('VmHWM'),
      descriptors: open.length,
      sockets: open.filter((link) => link.startsWith('socket:')).length,
    };
  } catch {
    return undefined;
  }
}

/** The sum over the processes that a process has started and that run: control planes parse large files in such. */
function peakOfStarted(pid: number): number {
  try {
    const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    return pids.reduce((sum, started) => sum + (footprintOf(Number(started))?.peak ?? 0), 0);
  } catch {
    return 0;
  }
}

/** Empty when the descriptor was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
