import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { StopAsync } from '../edges.ts';

/** A `gatehouse` program in a child process. */
export interface Program {
  /**
   * Resolves with the address, such as `127.0.0.1:9977`, once the program logs that this listener listens. Rejects when
   * the program ends before.
   */
  listening(name: string): Promise<string>;
  /** Sends SIGTERM, then SIGKILL after 12 seconds. Resolves when the program has ended. */
  readonly stop: StopAsync;
}

/** What the programs of the demo are started from, and what they leave. */
export interface ProgramSource {
  /** The file to run, and its arguments before the command: Node and the entry file. */
  readonly program: readonly [file: string, ...args: string[]];
  /** The folder of the log files, one for each program. */
  readonly logs: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Called when a program ends without having been stopped. */
  readonly unexpectedExit: (message: string) => void;
}

/** Milliseconds from SIGTERM to SIGKILL. */
const killAfter = 12_000;
/** Lines of the log that the message of an unexpected exit quotes. */
const quotedLines = 8;

/** Starts `gatehouse <command>`; its log goes to `<logs>/<command>.log`. */
export function startProgram(source: ProgramSource, command: string, args: readonly string[]): Program {
  const [file, ...before] = source.program;
  const child = spawn(file, [...before, command, ...args, '--log-format=json'], {
    env: withoutFlags(source.environment),
    // The channel closes when the demo is killed: src/main.ts stops the program then.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // A process group of its own: Ctrl-C must reach only the demo, which then stops its programs in order.
    detached: true,
  });
  const addresses = new Map<string, PromiseWithResolvers<string>>();
  const addressOf = (name: string): PromiseWithResolvers<string> => {
    const known = addresses.get(name) ?? Promise.withResolvers<string>();
    addresses.set(name, known);
    // Prevents an unhandled rejection: nothing may wait for this address, and `unexpectedExit` reports the exit.
    known.promise.catch(() => undefined);
    return known;
  };
  const recent = followLog(child, join(source.logs, `${command}.log`), (name, address) =>
    addressOf(name).resolve(address),
  );
  let stopping = false;
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', (code, signal) => {
      const message = `gatehouse ${command} ended (${signal ?? `exit code ${code}`}):\n${recent.join('\n')}`;
      for (const { reject } of addresses.values()) reject(new Error(message));
      if (!stopping) source.unexpectedExit(message);
      resolve();
    });
  });
  return {
    listening: (name) => addressOf(name).promise,
    stop: async () => {
      stopping = true;
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), killAfter);
      await ended;
      clearTimeout(kill);
    },
  };
}

/** Removes the environment variables of flags: the demo passes all settings on the command line. */
function withoutFlags(environment: ProgramSource['environment']): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('GATEHOUSE_')));
}

/** Copies the log to a file, reports the addresses of listeners, and returns the most recent lines. */
function followLog(child: ChildProcess, file: string, listening: (name: string, address: string) => void): string[] {
  const recent: string[] = [];
  if (child.stderr === null) return recent;
  const log = createWriteStream(file);
  createInterface({ input: child.stderr })
    .on('line', (line) => {
      log.write(`${line}\n`);
      recent.push(line);
      if (recent.length > quotedLines) recent.shift();
      const { message, listener, address } = parseLine(line);
      if (message?.startsWith('listening') && listener !== undefined && address !== undefined)
        listening(listener, address);
    })
    .on('close', () => log.end());
  return recent;
}

interface LogLine {
  readonly message?: string;
  readonly listener?: string;
  readonly address?: string;
}

/** Returns an empty object for a line that is no JSON, such as a stack trace. */
function parseLine(line: string): LogLine {
  try {
    const value: LogLine = JSON.parse(line);
    return value ?? {};
  } catch {
    return {};
  }
}
