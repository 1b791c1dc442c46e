import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };
import { EnvironmentError } from '../app/errors.ts';
import type { StopAsync } from '../edges.ts';
import { createLog, type LeveledLog } from '../log/log.ts';
import { demoFlags, demoPorts } from './flags/demo-flags.ts';
import { gatewayFlags, gatewayOptions } from './flags/gateway-flags.ts';
import { logFlags, logSettings } from './flags/log-flags.ts';
import { mcpToolFlags, mcpToolOptions } from './flags/mcp-tool-flags.ts';
import { checkFlags, explainFlags, nodesFlags, translateFlags } from './flags/report-flags.ts';
import { serveFlags, serveSettings } from './flags/serve-flags.ts';
import { type Flag, type FlagValues, UsageError } from './flags.ts';
import { styleOf } from './offline/style.ts';
import { type SignalWait, waitForSignal } from './signals.ts';
import { systemClock } from './system-clock.ts';
import type { ExitCode, Terminal } from './terminal.ts';
import { keysFlags, tokenFlags } from './trial/trial-flags.ts';

/** A command, such as `gatehouse serve`. */
export interface Command {
  readonly name: string;
  /** One phrase, for the overview. */
  readonly summary: string;
  readonly examples: readonly string[];
  readonly flags: readonly Flag[];
  /** The placeholder of the arguments that are no flags; absent for a command that has none. */
  readonly arguments?: string;
  /** The words that the arguments may be, for completion. */
  readonly words?: readonly string[];
  run(flags: FlagValues, terminal: Terminal): Promise<ExitCode>;
}

/** The commands, in the order of the overview. Each imports its program, with the packages that needs, when it runs. */
export const commands: readonly Command[] = [
  {
    name: 'serve',
    summary: 'the control plane: watches a cluster or manifests, and serves gateways',
    examples: [
      'gatehouse serve -f manifests/',
      'gatehouse serve -f base.yaml -f overrides/ --xds-listen=127.0.0.1:9977',
      'gatehouse serve --context=my-cluster --write-status=false',
      'gatehouse serve    (in a pod: the cluster around it)',
    ],
    flags: serveFlags,
    run: (flags, terminal) =>
      runUntilSignal(flags, terminal, async (log) => {
        const settings = serveSettings(flags, terminal.environment);
        const { startApp } = await import('../app/app.ts');
        return startApp(settings, { clock: systemClock, random: Math.random, log, logLevel: log });
      }),
  },
  {
    name: 'gateway',
    summary: 'the reference MCP gateway: a data plane of the control plane',
    examples: [
      'gatehouse gateway --file=config.json',
      'gatehouse gateway --file=/config/config.json --mount=/config=./config --resolve=tool.svc:8080=127.0.0.1:3001',
    ],
    flags: gatewayFlags,
    run: (flags, terminal) =>
      runUntilSignal(flags, terminal, async (log) => {
        const { stdin, stdout, environment } = terminal;
        const { GatewayError, startGateway } = await import('../gateway/gateway.ts');
        const edges = { clock: systemClock, random: Math.random, log, losses: log, stdin, stdout };
        try {
          return await startGateway(gatewayOptions(flags, environment), edges);
        } catch (error) {
          if (!(error instanceof GatewayError)) throw error;
          throw error.reason === 'usage' ? new UsageError(error.message) : new EnvironmentError(error.message);
        }
      }),
  },
  {
    name: 'mcp-tool',
    summary: 'the sample MCP server with the tool convert_to_markdown',
    examples: ['gatehouse mcp-tool', 'gatehouse mcp-tool --sse --host=0.0.0.0 --port=8080'],
    flags: mcpToolFlags,
    run: (flags, terminal) =>
      runUntilSignal(flags, terminal, async (log) => {
        const { ListenError, startMcpTool } = await import('../mcp-tool/mcp-tool.ts');
        try {
          return await startMcpTool(mcpToolOptions(flags, packageJson.version), { clock: systemClock, log });
        } catch (error) {
          throw error instanceof ListenError ? new EnvironmentError(error.message) : error;
        }
      }),
  },
  {
    name: 'demo',
    summary: "the guide's story, run with all three programs",
    examples: ['gatehouse demo', 'gatehouse demo --once', 'gatehouse demo --ports=0'],
    flags: demoFlags,
    run: runDemoCommand,
  },
  {
    name: 'check',
    summary: 'finds what is wrong in manifests, and what was probably not meant',
    examples: [
      'gatehouse check manifests/',
      'gatehouse check --strict -o github manifests/ gateway.yaml',
      'gatehouse check - < rendered.yaml',
      'gatehouse check --cluster --context my-cluster',
    ],
    arguments: '<file, folder or ->...',
    flags: checkFlags,
    run: async (flags, terminal) => (await import('./offline/check-command.ts')).runCheck(flags, terminal),
  },
  {
    name: 'translate',
    summary: 'shows what gateways would be sent, or what a change would do',
    examples: [
      'gatehouse translate manifests/',
      'gatehouse translate -o json --gateway default/mcp-gateway manifests/',
      'gatehouse translate --exit-code main/manifests/ --diff manifests/',
      'gatehouse translate --cluster --context my-cluster --diff manifests/',
    ],
    arguments: '<file, folder or ->...',
    flags: translateFlags,
    run: async (flags, terminal) => (await import('./offline/translate-command.ts')).runTranslate(flags, terminal),
  },
  {
    name: 'explain',
    summary: 'says who may call what behind a Gateway, and why not',
    examples: [
      `gatehouse explain -f manifests/ --claims '{"sub":"me"}' --tool default/mcp-tool:convert_to_markdown`,
      'gatehouse explain -f manifests/ --gateway default/mcp-gateway --token -',
      'gatehouse explain -f manifests/ --tool default/mcp-tool:convert_to_markdown',
      'gatehouse explain --server 127.0.0.1:9097 --token - --config config.json',
      'gatehouse explain --cluster --context my-cluster --gateway default/mcp-gateway',
    ],
    flags: explainFlags,
    run: async (flags, terminal) => (await import('./offline/explain-command.ts')).runExplain(flags, terminal),
  },
  {
    name: 'nodes',
    summary: 'every connected gateway: versions sent and acknowledged, lag, last refusal',
    examples: [
      'gatehouse nodes',
      'gatehouse nodes --watch --gateway default/mcp-gateway',
      'gatehouse nodes --server 127.0.0.1:9097 -o json',
    ],
    flags: nodesFlags,
    run: async (flags, terminal) => (await import('./remote/nodes-command.ts')).runNodes(flags, terminal),
  },
  {
    name: 'keys',
    summary: 'makes a key pair and its JWK Set, for trying things',
    examples: ['gatehouse keys new', 'gatehouse keys new --directory my-world'],
    arguments: 'new',
    words: ['new'],
    flags: keysFlags,
    run: async (flags, terminal) => (await import('./trial/keys-command.ts')).runKeys(flags, terminal),
  },
  {
    name: 'token',
    summary: 'signs a token with such a key, for trying things',
    examples: [`gatehouse token --key private-key.json --claims '{"sub":"me","iss":"me","aud":"me"}'`],
    flags: tokenFlags,
    run: async (flags, terminal) => (await import('./trial/token-command.ts')).runToken(flags, terminal),
  },
  {
    name: 'completion',
    summary: 'writes the completion script of a shell: bash, zsh or fish',
    examples: ['gatehouse completion bash', 'gatehouse completion fish'],
    arguments: 'bash|zsh|fish',
    words: ['bash', 'zsh', 'fish'],
    flags: [],
    run: async ({ positionals }, terminal) => {
      const { completionScript } = await import('./completion.ts');
      const all = commands.map((command) => ({ ...command, flags: [...command.flags, ...logFlags] }));
      terminal.stdout.write(completionScript(positionals[0], all));
      return 0;
    },
  },
  {
    name: 'version',
    summary: 'prints the version, as --version does',
    examples: ['gatehouse version'],
    flags: [],
    run: (_, terminal) => {
      terminal.stdout.write(`${packageJson.version}\n`);
      return Promise.resolve(0);
    },
  },
];

/** Milliseconds that the reader of the log has to read what is left, once a program has stopped. */
const readTime = 1_000;

/**
 * Runs a program until a signal arrives or the program ends by itself, then stops it. A start may wait for others, such
 * as the server of a configuration: a signal ends the process meanwhile, since nothing was promised to anybody yet.
 */
async function runUntilSignal(
  flags: FlagValues,
  terminal: Terminal,
  start: (log: LeveledLog) => Promise<{ readonly stop: StopAsync; readonly ended?: Promise<void> }>,
): Promise<ExitCode> {
  const log = createTerminalLog(flags, terminal);
  const { signalled, release } = waitForTerminalSignal(terminal, log);
  try {
    const running = await Promise.race([start(log), signalled]);
    if (running === undefined) {
      log.info('stopped before the start was complete');
      terminal.exit(0);
      return 0;
    }
    await Promise.race([signalled, ...(running.ended === undefined ? [] : [running.ended])]);
    log.info('stopping');
    await running.stop();
    log.info('stopped');
    // What nobody reads would keep the process.
    systemClock.after(readTime, () => terminal.exit(0));
    // Signals are still listened to: one that is repeated would end the process as if it had not stopped.
    return 0;
  } catch (error) {
    release();
    throw error;
  }
}

async function runDemoCommand(flags: FlagValues, terminal: Terminal): Promise<ExitCode> {
  const ports = demoPorts(flags);
  const { green, red } = styleOf(terminal);
  const { runDemo } = await import('../demo/demo.ts');
  const { signalled, release } = waitForTerminalSignal(terminal, createTerminalLog(flags, terminal));
  try {
    const outcome = await runDemo({
      once: flags.on('once'),
      ports,
      manifests: fileURLToPath(new URL('../../deploy/examples/guide', import.meta.url)),
      entry: fileURLToPath(new URL('../main.ts', import.meta.url)),
      environment: terminal.environment,
      print: (line) => terminal.stdout.write(`${line}\n`),
      verdict: (word) => (word === 'ALLOWED' ? green(word) : red(word)),
      stopRequested: signalled,
    });
    if (outcome.kind === 'completed') return 0;
    if (outcome.kind === 'failed') throw new EnvironmentError(outcome.message);
    terminal.stderr.write(`gatehouse: a step of the story differs from the guide: ${outcome.message}\n`);
    return 1;
  } finally {
    release();
  }
}

/** A second signal, more than a second after the first one, exits with code 3. */
function waitForTerminalSignal(terminal: Terminal, log: LeveledLog): SignalWait {
  return waitForSignal(terminal.signals, { clock: systemClock, log, forceExit: () => terminal.exit(3) });
}

function createTerminalLog(flags: FlagValues, terminal: Terminal): LeveledLog {
  const { level, format } = logSettings(flags);
  const isTerminal = terminal.stderr.isTTY === true;
  return createLog(level, format, isTerminal, isTerminal && !terminal.environment['NO_COLOR']);
}
