import { type ChildProcess, fork } from 'node:child_process';
import { openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeEnvironment, nodeFlags } from '../support/processes/node-flags.ts';

/** One process of a bench, and what it is told and answers. */
export interface Process<To, From extends { readonly kind: string }> {
  /** Tells it something, and waits for its answer of this kind. */
  ask<Kind extends From['kind']>(message: To, kind: Kind): Promise<Extract<From, { readonly kind: Kind }>>;
  /** Rejects when the process ends before it says so. */
  heard<Kind extends From['kind']>(kind: Kind): Promise<Extract<From, { readonly kind: Kind }>>;
  stop(): void;
}

/** Where the processes log, as a server in production does. */
const log = join(tmpdir(), `gatehouse-bench-${process.pid}.log`);

/** Runs a file as a process of its own, started as the program is. */
export function startProcess<To extends object, From extends { readonly kind: string }>(
  file: URL,
  ...args: readonly string[]
): Process<To, From> {
  const child = fork(file, args, {
    execArgv: [...nodeFlags],
    env: { ...process.env, ...nodeEnvironment },
    stdio: ['ignore', 'ignore', openSync(log, 'a'), 'ipc'],
  });
  const heard = <Kind extends From['kind']>(kind: Kind): Promise<Extract<From, { readonly kind: Kind }>> =>
    hear<From, Kind>(child, kind, file);
  return {
    heard,
    ask: (message, kind) => {
      const answer = heard(kind);
      child.send(message);
      return answer;
    },
    stop: () => void child.kill(),
  };
}

function hear<From extends { readonly kind: string }, Kind extends From['kind']>(
  child: ChildProcess,
  kind: Kind,
  file: URL,
): Promise<Extract<From, { readonly kind: Kind }>> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      child.off('message', received);
      child.off('exit', ended);
    };
    const received = (message: From): void => {
      if (message.kind !== kind) return;
      done();
      resolve(message as Extract<From, { readonly kind: Kind }>);
    };
    const ended = (code: number | null): void => {
      done();
      reject(new Error(`${file.pathname} ended (${code}) before it said "${kind}"; see ${log}`));
    };
    child.on('message', received);
    child.on('exit', ended);
  });
}
