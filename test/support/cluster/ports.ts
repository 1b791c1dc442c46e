import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import type { GuardedProcess } from './process.ts';

/** How often a program is started anew because somebody else took its port meanwhile. */
const TRIES = 8;

/**
 * Starts a program at a port of 127.0.0.1 that nobody has, and once more at another one when the program finds it
 * taken. `start` settles with undefined when the program ended before it was ready.
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
 * A port below those that the kernel gives to outgoing connections: it stays free while a server that had it is away.
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
