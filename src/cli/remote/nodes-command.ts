import { clearScreenDown, cursorTo } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { EnvironmentError } from '../../app/errors.ts';
import { oneOf } from '../flag-values.ts';
import { type FlagValues, UsageError } from '../flags.ts';
import { styleOf } from '../offline/style.ts';
import { waitForSignal } from '../signals.ts';
import { systemClock } from '../system-clock.ts';
import type { ExitCode, Terminal } from '../terminal.ts';
import { serverAddress } from './debug-client.ts';
import { askNodes, type NodesDocument } from './nodes-client.ts';
import { nodesText } from './nodes-report.ts';

/** Milliseconds between two looks of `--watch`. */
const interval = 1_000;

/** Runs `nodes`. */
export async function runNodes(flags: FlagValues, terminal: Terminal): Promise<ExitCode> {
  const format = oneOf('output', flags.text('output'), ['text', 'wide', 'json']);
  const server = serverAddress(flags.text('server'));
  const gateway = flags.optional('gateway');
  if (gateway !== undefined && !/^[^/]+(\/[^/]+)?$/.test(gateway)) {
    throw new UsageError('--gateway is <namespace>/<name>, for example default/mcp-gateway.');
  }
  const key = gateway === undefined || gateway.includes('/') ? gateway : `default/${gateway}`;
  const style = styleOf(terminal);
  const read = async (): Promise<string> => render(await askNodes(server, key), format, style);
  const first = await read();
  if (!flags.on('watch')) {
    terminal.stdout.write(`${first}\n`);
    return 0;
  }
  await watch(first, read, terminal);
  return 0;
}

function render(document: NodesDocument, format: 'text' | 'wide' | 'json', style: ReturnType<typeof styleOf>): string {
  if (format !== 'json') return nodesText(document, format === 'wide', style);
  const { time, nodes } = document;
  return JSON.stringify({ version: 1, time, total: nodes.length, nodes }, (_, value: unknown) => value ?? null, 2);
}

/**
 * Shows the text anew until a signal arrives. On a terminal each one replaces the last; elsewhere one is written when it
 * differs. A server that is gone is said so and asked again, since it may be restarting.
 */
async function watch(first: string, read: () => Promise<string>, { stdout, signals, exit }: Terminal): Promise<void> {
  const stopping = new AbortController();
  const { signalled, release } = waitForSignal(signals, { clock: systemClock, log: silent, forceExit: () => exit(3) });
  void signalled.then(() => stopping.abort());
  let shown = '';
  const draw = (text: string): void => {
    if (text === shown) return;
    shown = text;
    if (stdout.isTTY === true) {
      cursorTo(stdout, 0, 0);
      clearScreenDown(stdout);
    }
    stdout.write(`${fitted(text, stdout)}\n`);
  };
  draw(first);
  try {
    while (!stopping.signal.aborted) {
      await setTimeout(interval, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (!stopping.signal.aborted) draw(await read().catch(unavailable));
    }
  } finally {
    release();
  }
}

const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => silent };

function ignore(): void {}

function unavailable(error: unknown): string {
  if (error instanceof EnvironmentError) return `${error.message} Asking again.`;
  throw error;
}

/** As many lines as the terminal shows. */
function fitted(text: string, { isTTY, rows }: Terminal['stdout']): string {
  const lines = text.split('\n');
  const most = isTTY === true && rows !== undefined ? Math.max(2, rows - 1) : lines.length;
  if (lines.length <= most) return text;
  return [...lines.slice(0, most - 1), `... and ${lines.length - most + 1} more lines`].join('\n');
}
