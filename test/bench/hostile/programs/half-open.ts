import { connect, type Socket } from 'node:net';
import { attackerAddresses } from './http-client.ts';
import type { StopAttack } from './model.ts';

const [from] = attackerAddresses;

/** Connections that are opened in one batch: the queue of a listener holds few. */
const batch = 200;
/** Milliseconds between two batches. */
const interval = 25;

/**
 * Keeps this many connections open that have sent these bytes and send no more. One that the program closes is opened
 * anew.
 */
export function floodHalfOpen(port: number, count: number, words: string): StopAttack {
  const open = new Set<Socket>();
  const timer = setInterval(() => {
    const missing = Math.min(batch, count - open.size);
    for (let index = 0; index < missing; index += 1) {
      const socket = connect({ host: '127.0.0.1', port, localAddress: from }, () => socket.write(words));
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => open.delete(socket));
      socket.resume();
    }
  }, interval);
  return () => {
    clearInterval(timer);
    for (const socket of open) socket.destroy();
    return 0;
  };
}
