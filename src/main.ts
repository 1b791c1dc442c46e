#!/usr/bin/env node
import { flushCompileCache } from 'node:module';
import { runCli } from './cli/cli.ts';

// Whoever read the output is gone, as with `| head`: that ends the program as a wish of theirs, not as a crash.
for (const output of [process.stdout, process.stderr]) {
  output.once('error', () => process.kill(process.pid, 'SIGTERM')).on('error', () => {});
}

// What was compiled is written when the program ends (`NODE_COMPILE_CACHE`). One that is killed in the end has done it by
// then, and the next start takes half the time and 25 MB less.
setTimeout(flushCompileCache, 5_000).unref();

/** The process entry: everything that belongs to the process itself enters here and nowhere else. */
process.exitCode = await runCli({
  args: process.argv.slice(2),
  environment: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signals: process,
  exit: (code) => process.exit(code),
});
