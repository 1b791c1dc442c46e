import { flushCompileCache } from 'node:module';
import { runCli } from './cli/cli.ts';

// The reader of a pipe has gone (EPIPE, as with `| head`): stop as on SIGTERM instead of crashing. The disk below the
// log may be full and have room again later: nothing that serves stops for it.
for (const output of [process.stdout, process.stderr]) {
  output
    .once('error', (error: NodeJS.ErrnoException) => {
      if (output === process.stdout || error.code === 'EPIPE') process.kill(process.pid, 'SIGTERM');
    })
    .on('error', () => {});
}

// Node would open its debugger on port 9229, for everybody on this machine, or in this pod.
process.on('SIGUSR1', () => {});

// Node writes the compile cache (`NODE_COMPILE_CACHE`) at exit, so a process that is killed would write none. With it
// the next start takes half the time and 25 MB less.
setTimeout(flushCompileCache, 5_000).unref();

// A parent that keeps an IPC channel to its programs, as the demo does, has ended without stopping this one.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));

/** The process entry: passes arguments, environment, streams and signals of the process to the command line. */
process.exitCode = await runCli({
  args: process.argv.slice(2),
  environment: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signals: process,
  exit: (code) => process.exit(code),
});
