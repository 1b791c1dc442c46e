#!/usr/bin/env node
import { runCli } from './cli.ts';

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
