import type { OfflineWorld } from '../../app/offline/offline.ts';
import type { Logger } from '../../edges.ts';
import { shortened } from '../../json/quoted.ts';
import { clusterAccess, namespacesOf } from '../flags/input-flags.ts';
import { translationSettings } from '../flags/translation-flags.ts';
import { type FlagValues, UsageError } from '../flags.ts';
import { systemClock } from '../system-clock.ts';
import type { Terminal } from '../terminal.ts';

/** Bytes of standard input that are read: one more than a file may have, so that a longer text is refused. */
const mostInput = 5 * 1024 * 1024 + 1;

/**
 * Reads and translates files, or a cluster when the flags ask for one; loads what that needs when it is called.
 *
 * @throws UsageError when the flags name neither, or both
 */
export async function openWorld(
  filenames: readonly string[],
  flags: FlagValues,
  terminal: Terminal,
): Promise<OfflineWorld> {
  const access = clusterAccess(flags, terminal.environment);
  if (access === undefined) return openFiles(filenames, flags, terminal);
  if (filenames.length > 0) throw new UsageError('give files or a cluster, one of the two.');
  const { openOfflineCluster } = await import('../../app/offline/offline-cluster.ts');
  return openOfflineCluster(
    { ...translationSettings(flags), access, namespaces: namespacesOf(flags) },
    { clock: systemClock, random: Math.random, log: errorLog(terminal) },
  );
}

/** Reads and translates files. */
export async function openFiles(
  filenames: readonly string[],
  flags: FlagValues,
  terminal: Terminal,
): Promise<OfflineWorld> {
  const { openOffline } = await import('../../app/offline/offline.ts');
  return openOffline(
    { ...translationSettings(flags), filenames, namespaces: namespacesOf(flags) },
    {
      clock: systemClock,
      log: errorLog(terminal),
      readStdin: () => readText(terminal.stdin),
    },
  );
}

/** A log of what must not happen, such as an internal error: these commands have no other. */
function errorLog(terminal: Terminal): Logger {
  const log: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (message, { key = '', error = '' } = {}) => {
      terminal.stderr.write(`gatehouse: ${message}: ${shortened(`${String(key)} ${String(error)}`)}\n`);
    },
    child: () => log,
  };
  return log;
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
