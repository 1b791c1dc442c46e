import { fileURLToPath } from 'node:url';
import { startApp } from './app.ts';
import { systemClock } from './clock.ts';
import { demoFlags, demoPort, logSettings, serveFlags, serveSettings } from './config.ts';
import { runDemo } from './demo/demo.ts';
import type { Logger, StopAsync } from './edges.ts';
import type { Flag, FlagValues } from './flags.ts';
import { createLog } from './log.ts';
import { untilSignal } from './signals.ts';
import { EnvironmentError, type ExitCode, type Terminal } from './terminal.ts';

/** One word of the command line. */
export interface Command {
  readonly name: string;
  /** Half a sentence, for the overview. */
  readonly summary: string;
  readonly examples: readonly string[];
  readonly flags: readonly Flag[];
  run(flags: FlagValues, terminal: Terminal): Promise<ExitCode>;
}

/** Every command, in the order of the overview. */
export const commands: readonly Command[] = [
  {
    name: 'serve',
    summary: 'the control plane: watches manifests and serves gateways',
    examples: [
      'gatehouse serve -f manifests/',
      'gatehouse serve -f base.yaml -f overrides/ --xds-listen=127.0.0.1:9977',
    ],
    flags: serveFlags,
    run: (flags, terminal) =>
      untilAsked(flags, terminal, (log) =>
        startApp(serveSettings(flags), { clock: systemClock, random: Math.random, log }),
      ),
  },
  {
    name: 'demo',
    summary: "the guide's story, told with all three programs",
    examples: ['gatehouse demo', 'gatehouse demo --once', 'gatehouse demo --port=8081'],
    flags: demoFlags,
    run: tellDemo,
  },
];

/** Runs a program until SIGINT or SIGTERM, then stops it. A second signal, more than a second later, ends it at once. */
async function untilAsked(
  flags: FlagValues,
  terminal: Terminal,
  start: (log: Logger) => Promise<{ readonly stop: StopAsync }>,
): Promise<ExitCode> {
  const log = logOf(flags, terminal);
  const hurry = (): void => terminal.exit(3);
  const { asked, release } = untilSignal(terminal.signals, { clock: systemClock, log, hurry });
  try {
    const running = await start(log);
    await asked;
    log.info('stopping');
    await running.stop();
    log.info('stopped');
    return 0;
  } finally {
    release();
  }
}

async function tellDemo(flags: FlagValues, terminal: Terminal): Promise<ExitCode> {
  const log = logOf(flags, terminal);
  const hurry = (): void => terminal.exit(3);
  const { asked, release } = untilSignal(terminal.signals, { clock: systemClock, log, hurry });
  try {
    const outcome = await runDemo({
      once: flags.on('once'),
      port: demoPort(flags),
      manifests: fileURLToPath(new URL('../deploy/examples/guide', import.meta.url)),
      entry: fileURLToPath(new URL('main.ts', import.meta.url)),
      environment: terminal.environment,
      tell: (line) => terminal.stdout.write(`${line}\n`),
      asked,
    });
    if (outcome.kind === 'told') return 0;
    if (outcome.kind === 'impossible') throw new EnvironmentError(outcome.message);
    terminal.stderr.write(`gatehouse: the story went otherwise: ${outcome.message}\n`);
    return 1;
  } finally {
    release();
  }
}

function logOf(flags: FlagValues, terminal: Terminal): Logger {
  const { level, format } = logSettings(flags);
  const isTerminal = terminal.stderr.isTTY === true;
  return createLog(level, format, isTerminal, isTerminal && !terminal.environment['NO_COLOR']);
}
