import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** A child process that is killed when this process ends, also by SIGKILL. */
export interface GuardedProcess {
  readonly hasEnded: () => boolean;
  /** The last lines of its output. */
  readonly lastWords: () => string;
  /** Sends a signal, such as `STOP`. */
  readonly signal: (name: 'STOP' | 'CONT') => void;
  /** Sends SIGKILL; settles once the process has exited. */
  readonly kill: () => Promise<void>;
}

/**
 * The shell reads a pipe from this process, which writes names of signals to it. The kernel closes the pipe when this
 * process ends, also by SIGKILL, and the shell then kills the program.
 */
const GUARD = `
exec 3<&0
"$@" 3<&- </dev/null &
program=$!
{ while read -r signal <&3; do kill -s "$signal" "$program"; done; kill -9 "$program"; } >/dev/null 2>&1 &
guard=$!
wait "$program"; code=$?
kill "$guard"
exit "$code"`;

/** Starts a program whose output replaces the file `log`. */
export function startGuarded(program: string, args: readonly string[], log: string): GuardedProcess {
  const output = openSync(log, 'w');
  const shell = spawn('/bin/sh', ['-c', GUARD, 'guard', program, ...args], { stdio: ['pipe', output, output] });
  closeSync(output);
  const exit = once(shell, 'exit');
  let over = false;
  const ended = exit.then(() => {
    over = true;
    shell.stdin?.destroy();
  });
  return {
    hasEnded: () => over,
    lastWords: () => readFileSync(log, 'utf8').slice(-3000),
    signal: (name) => void shell.stdin?.write(`${name}\n`),
    kill: async () => {
      shell.stdin?.destroy();
      await ended;
    },
  };
}
