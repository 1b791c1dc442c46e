#!/usr/bin/env node
import { runCli } from './cli.ts';

// Whoever read the output is gone, as with `| head`: that ends the program as a wish of theirs, not as a crash.
for (const output of [process.stdout, process.stderr]) {
  output.once('error', () => process.kill(process.pid, 'SIGTERM')).on('error', () => {});
}

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
