import { createServer } from 'node:net';

/** A port that the demo listens on. */
export interface NeededPort {
  readonly host: string;
  readonly port: number;
  /** Purpose, for the message. */
  readonly what: string;
  /** Remedy if it is in use. */
  readonly remedy: string;
}

/** Returns a message for each port that is in use, found by binding it for a moment. */
export async function portsInUse(needed: readonly NeededPort[]): Promise<string[]> {
  const taken = await Promise.all(needed.map(async (port) => ((await isFree(port)) ? [] : [port])));
  return taken.flat().map(({ host, port, what, remedy }) => `port ${port} on ${host}, ${what}, is in use: ${remedy}`);
}

function isFree({ host, port }: NeededPort): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
