import { Agent } from 'node:http';
import { send } from './http-client.ts';
import type { StopAttack } from './model.ts';
import { repeat } from './repeat.ts';

/** Addresses of a flood from many: honest clients use 127.0.0.1. */
export const manyAddresses: readonly string[] = Array.from({ length: 24 }, (_, index) => `127.0.1.${index + 1}`);

/** What is answered, at different costs, and what is not. */
const paths = ['/healthz', '/metrics', '/readyz', '/none'];

/** Keeps this many connections open, and sends on each the next request when the one before is answered. */
export function floodKept(port: number, count: number, addresses: readonly string[]): StopAttack {
  const agent = new Agent({ keepAlive: true });
  const stop = repeat(count, (index) => {
    const path = paths[index % paths.length] ?? '/';
    return send({ port, path, from: addresses[index % addresses.length] ?? '', agent, timeout: 60_000 });
  });
  return () => {
    agent.destroy();
    return stop();
  };
}
