import { join } from 'node:path';
import { polled } from './poll.ts';
import { atFreePort } from './ports.ts';
import { type GuardedProcess, startGuarded } from './process.ts';

/** The storage of the API server. */
export interface Etcd {
  readonly url: string;
  /** Compacts to the newest revision. */
  readonly compact: () => Promise<void>;
  readonly kill: () => Promise<void>;
}

/** Starts an empty etcd in the folder, and waits until it is healthy. */
export function startEtcd(assets: string, folder: string): Promise<Etcd> {
  return atFreePort(async (port) => {
    const url = `http://127.0.0.1:${port}`;
    const etcd = startGuarded(join(assets, 'etcd'), flags(folder, url), join(folder, 'etcd.log'));
    const isReady = await polled(
      () => health(url, etcd),
      () => `etcd is not healthy:\n${etcd.lastWords()}`,
    );
    if (!isReady) return { failed: etcd };
    return { ready: { url, compact: () => compact(url), kill: etcd.kill } };
  });
}

function flags(folder: string, url: string): readonly string[] {
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    '--listen-peer-urls=http://127.0.0.1:0',
    '--unsafe-no-fsync',
    '--log-level=error',
  ];
}

/** Undefined: try again. */
async function health(url: string, etcd: GuardedProcess): Promise<boolean | undefined> {
  if (etcd.hasEnded()) return false;
  try {
    const { health: state }: { health?: string } = await ask(`${url}/health`);
    return state === 'true' ? true : undefined;
  } catch {
    return undefined;
  }
}

async function compact(url: string): Promise<void> {
  const { header }: { header: { revision: string } } = await ask(`${url}/v3/maintenance/status`, {});
  await ask(`${url}/v3/kv/compaction`, { revision: header.revision, physical: true });
}

async function ask<T>(url: string, body?: unknown): Promise<T> {
  const response = await fetch(url, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return JSON.parse(await response.text());
}
