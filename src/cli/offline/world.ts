import type { OfflineWorld } from '../../app/offline.ts';
import { createLog } from '../../log/log.ts';
import type { FlagValues } from '../flags.ts';
import { namespacesOf } from '../input-flags.ts';
import { logSettings } from '../log-flags.ts';
import { systemClock } from '../system-clock.ts';
import type { Terminal } from '../terminal.ts';
import { translationSettings } from '../translation-flags.ts';

/** Bytes of standard input that are read: one more than a file may have, so that a longer text is refused. */
const mostInput = 5 * 1024 * 1024 + 1;

/** Reads and translates files; loads the translation when it is called. */
export async function openWorld(
  filenames: readonly string[],
  flags: FlagValues,
  terminal: Terminal,
): Promise<OfflineWorld> {
  const { openOffline } = await import('../../app/offline.ts');
  const { level, format } = logSettings(flags);
  const isTerminal = terminal.stderr.isTTY === true;
  return openOffline(
    { ...translationSettings(flags), filenames, namespaces: namespacesOf(flags) },
    {
      clock: systemClock,
      log: createLog(level, format, isTerminal, isTerminal && !terminal.environment['NO_COLOR']),
      readStdin: () => readText(terminal.stdin),
    },
  );
}

/** Reads a stream to its end, or to the limit. */
export async function readText(stream: Terminal['stdin']): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const part = Buffer.from(chunk);
    chunks.push(part.subarray(0, mostInput - bytes));
    bytes += part.length;
    if (bytes >= mostInput) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
