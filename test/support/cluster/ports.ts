import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import type { GuardedProcess } from './process.ts';

/** Attempts to start a program whose port another program may take first. */
const TRIES = 8;

/**
 * Starts a program at a free port of 127.0.0.1, and retries with another port if that one is in use. `start` settles
 * with undefined if the program exits before it is ready.
 */
export async function atFreePort<T>(
  start: (port: number) => Promise<{ readonly ready: T } | { readonly failed: GuardedProcess }>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const started = await start(await freeLowPort());
    if ('ready' in started) return started.ready;
    const words = started.failed.lastWords();
    if (tries === TRIES || !words.includes('address already in use')) throw new Error(`It ended at once:\n${words}`);
  }
}

/**
 * A port below the ephemeral range: it stays free while its server is stopped.
 */
async function freeLowPort(): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 32_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
