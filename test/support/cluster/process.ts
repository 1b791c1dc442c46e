import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** A program that is killed, at the latest, when this process ends, however it ends. */
export interface GuardedProcess {
  readonly hasEnded: () => boolean;
  /** The end of what it printed. */
  readonly lastWords: () => string;
  /** SIGKILL; settles when it is gone. */
  readonly kill: () => Promise<void>;
}

/**
 * The shell reads a pipe from this process that nobody writes to. The kernel closes it when this process ends, even by
 * SIGKILL, and the shell then kills the program.
 */
const GUARD = `
exec 3<&0
"$@" 3<&- </dev/null &
program=$!
{ cat <&3; kill -9 "$program"; } >/dev/null 2>&1 &
guard=$!
wait "$program"; code=$?
kill "$guard"
exit "$code"`;

/** Starts a program that prints into the file `log`, from its beginning. */
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
    kill: async () => {
      shell.stdin?.destroy();
      await ended;
    },
  };
}
