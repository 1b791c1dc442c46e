import { type ChildProcess, fork } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Limits of the heap of a process, in MiB. */
export interface HeapLimits {
  /** Of what lives. */
  readonly old: number;
  /** Of each half of what is new. */
  readonly semiSpace: number;
}

/**
 * How a process ended: with a code, at the limit of its heap, by another signal, or because the operating system did not
 * start it (`pids.max`, open files).
 */
export type ProcessEnd =
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'heap limit' }
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'not started'; readonly message: string };

/** A process for work on what others wrote, which may end it and nothing else. */
export interface ConfinedProcess {
  /** Sends it a message. One that it cannot get any more is dropped. */
  send(message: object | string): void;
  /** Milliseconds of processor time of its main thread. Undefined where the system does not tell, and once it has ended. */
  processorTime(): Promise<number | undefined>;
  /** Bytes of its resident memory. Undefined where the system does not tell, and once it has ended. */
  memory(): Promise<number | undefined>;
  kill(): void;
  /** Resolves when it has ended, after its last message. */
  readonly ended: Promise<ProcessEnd>;
}

/**
 * Starts a module in a process of its own, without the environment, flags and output of this one. Worker threads are no
 * substitute: V8 ends the whole process when a thread at its limit asks for much memory at once (Node calls their
 * `resourceLimits` best-effort), and has crashed where several threads strip types of modules, which WebAssembly does.
 *
 * @param entry the module, which exchanges messages by `process.send` and `process.on('message')` and disconnects to end
 * @param onMessage is called with each of its messages: it is our own code, so that they have the type that it says
 */
export function startConfined<Message>(
  entry: URL,
  heap: HeapLimits,
  onMessage: (message: Message) => void,
): ConfinedProcess {
  let child: ChildProcess;
  try {
    child = fork(fileURLToPath(entry), {
      execArgv: [`--max-old-space-size=${heap.old}`, `--max-semi-space-size=${heap.semiSpace}`],
      env: compileCache(),
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    });
  } catch (error) {
    return notStarted(error);
  }
  const { pid } = child;
  // A heap at its limit ends with a core dump, where those are written: of none of its memory.
  set(pid, 'coredump_filter', '0');
  // Where a container or a machine has no memory left, it is ended first, and not what started it, which is larger.
  set(pid, 'oom_score_adj', '1000');
  child.on('message', onMessage);
  return {
    send: (message) => {
      if (child.connected) child.send(message, () => undefined);
    },
    processorTime: async () => processorTimeOf(await textOf(`/proc/${pid}/task/${pid}/stat`)),
    memory: async () => memoryOf(await textOf(`/proc/${pid}/status`)),
    kill: () => {
      // Without a process, as at the limit of open files, Node would kill process 0: this one, and all of its group.
      if (pid !== undefined) child.kill('SIGKILL');
    },
    ended: endOf(child),
  };
}

/** Sets what Linux lets a process set for another one of the same user: proc_pid_coredump_filter(5), proc_pid_oom_score_adj(5). */
function set(pid: number | undefined, what: string, value: string): void {
  void writeFile(`/proc/${pid}/${what}`, value).catch(() => undefined);
}

/** The only variable that it gets: where Node keeps what it has compiled, which halves the time of a start. */
function compileCache(): NodeJS.ProcessEnv {
  const { NODE_COMPILE_CACHE } = process.env;
  return NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };
}

function notStarted(error: unknown): ConfinedProcess {
  const message = error instanceof Error ? error.message : String(error);
  return {
    send: () => undefined,
    processorTime: () => Promise.resolve(undefined),
    memory: () => Promise.resolve(undefined),
    kill: () => undefined,
    ended: Promise.resolve({ kind: 'not started', message }),
  };
}

async function endOf(child: ChildProcess): Promise<ProcessEnd> {
  const { promise, resolve } = Promise.withResolvers<ProcessEnd>();
  child.once('error', ({ message }) => resolve({ kind: 'not started', message }));
  // Its last messages may arrive after its exit, and before the end of the channel.
  const disconnected = new Promise<void>((done) => child.once('disconnect', () => done()));
  child.once('exit', (code, signal) => {
    void disconnected.then(() => resolve(signal === null ? { kind: 'exit', code: code ?? 0 } : signalled(signal)));
  });
  return promise;
}

/** V8 aborts at the limit of its heap. */
function signalled(signal: string): ProcessEnd {
  return signal === 'SIGABRT' ? { kind: 'heap limit' } : { kind: 'signal', signal };
}

/** Undefined where there is no such file: on another system than Linux, and once the process has ended. */
async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'latin1').catch(() => undefined);
}

/** Milliseconds of a tick of proc_pid_stat(5). Linux gives programs 100 ticks a second (`USER_HZ`) on all that Node runs on. */
const tick = 10;

/** Of proc_pid_stat(5): fields 14 and 15, counted from the name in parentheses, which may have spaces. */
function processorTimeOf(stat: string | undefined): number | undefined {
  if (stat === undefined) return undefined;
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return user === undefined || system === undefined ? undefined : (Number(user) + Number(system)) * tick;
}

/** Of proc_pid_status(5). */
function memoryOf(status: string | undefined): number | undefined {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status ?? '') ?? [];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
