import { fork, type ChildProcess as NodeProcess } from 'node:child_process';
import { openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeEnvironment, nodeFlags } from '../support/processes/node-flags.ts';

/** A process of a bench with typed messages. */
export interface ChildProcess<To, From extends { readonly kind: string }> {
  /** Sends a message and resolves with the next message of this kind. */
  request<Kind extends From['kind']>(message: To, kind: Kind): Promise<Extract<From, { readonly kind: Kind }>>;
  /** Resolves with the next message of this kind; rejects if the process exits before. */
  next<Kind extends From['kind']>(kind: Kind): Promise<Extract<From, { readonly kind: Kind }>>;
  stop(): void;
}

/** Standard error of all processes: the servers log to a file, as in production. */
const log = join(tmpdir(), `gatehouse-bench-${process.pid}.log`);

/** Starts a file with the Node flags and environment of the program. */
export function startChildProcess<To extends object, From extends { readonly kind: string }>(
  file: URL,
  ...args: readonly string[]
): ChildProcess<To, From> {
  const child = fork(file, args, {
    execArgv: [...nodeFlags],
    env: { ...process.env, ...nodeEnvironment },
    stdio: ['ignore', 'ignore', openSync(log, 'a'), 'ipc'],
  });
  const next = <Kind extends From['kind']>(kind: Kind): Promise<Extract<From, { readonly kind: Kind }>> =>
    nextMessage<From, Kind>(child, kind, file);
  return {
    next,
    request: (message, kind) => {
      const response = next(kind);
      child.send(message);
      return response;
    },
    stop: () => void child.kill(),
  };
}

function nextMessage<From extends { readonly kind: string }, Kind extends From['kind']>(
  child: NodeProcess,
  kind: Kind,
  file: URL,
): Promise<Extract<From, { readonly kind: Kind }>> {
  return new Promise((resolve, reject) => {
    const unsubscribe = (): void => {
      child.off('message', onMessage);
      child.off('exit', onExit);
    };
    const onMessage = (message: From): void => {
      if (message.kind !== kind) return;
      unsubscribe();
      resolve(message as Extract<From, { readonly kind: Kind }>);
    };
    const onExit = (code: number | null): void => {
      unsubscribe();
      reject(new Error(`${file.pathname} exited (${code}) before it sent "${kind}"; see ${log}`));
    };
    child.on('message', onMessage);
    child.on('exit', onExit);
  });
}
