import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { StopAsync } from '../edges.ts';

/** One of the three programs, running as a process of its own. */
export interface Program {
  /** The address in its first "listening" line of that name, such as `127.0.0.1:9977`. Rejects when the program ends before. */
  listening(name: string): Promise<string>;
  /** Settles when the program has ended. */
  readonly stop: StopAsync;
}

export interface ProgramSource {
  /** The program's entry file. */
  readonly entry: string;
  /** The folder of the log files, one for each program. */
  readonly logs: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Called when a program ends that nobody stopped. */
  readonly died: (message: string) => void;
}

/** How long a program may take to stop before it is killed. */
const patience = 12_000;
/** Lines of its log that are shown of a program that died. */
const lastLines = 8;

/** Starts `gatehouse <command>`; its log goes to `<logs>/<command>.log`. */
export function startProgram(source: ProgramSource, command: string, args: readonly string[]): Program {
  const child = spawn(process.execPath, [source.entry, command, ...args, '--log-format=json'], {
    env: withoutFlags(source.environment),
    stdio: ['ignore', 'ignore', 'pipe'],
    // Ctrl-C reaches the whole group of the terminal; only the demo decides when its programs end.
    detached: true,
  });
  const addresses = new Map<string, PromiseWithResolvers<string>>();
  const addressOf = (name: string): PromiseWithResolvers<string> => {
    const known = addresses.get(name) ?? Promise.withResolvers<string>();
    addresses.set(name, known);
    // Somebody may ask later, or never: a program that died is reported through `died` anyway.
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
      if (!stopping) source.died(message);
      resolve();
    });
  });
  return {
    listening: (name) => addressOf(name).promise,
    stop: async () => {
      stopping = true;
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), patience);
      await ended;
      clearTimeout(kill);
    },
  };
}

/** What somebody set for the demo itself, or for a program of their own, would change the story: flags tell everything here. */
function withoutFlags(environment: ProgramSource['environment']): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('GATEHOUSE_')));
}

function followLog(child: ChildProcess, file: string, listening: (name: string, address: string) => void): string[] {
  const recent: string[] = [];
  if (child.stderr === null) return recent;
  const log = createWriteStream(file);
  createInterface({ input: child.stderr })
    .on('line', (line) => {
      log.write(`${line}\n`);
      recent.push(line);
      if (recent.length > lastLines) recent.shift();
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

/** A line that is no JSON, such as a crash's stack, is just shown. */
function parseLine(line: string): LogLine {
  try {
    const value: LogLine = JSON.parse(line);
    return value ?? {};
  } catch {
    return {};
  }
}
