import type { Socket } from 'node:net';
import { createRawSocketNode } from '../../../support/nodes/raw-socket-node.ts';

/** Milliseconds between two batches of connections. */
const interval = 10;

/** Milliseconds after which a connection is reset. */
const lifetime = 1_000;

/** Limit of one batch, in seconds of the rate. */
const maxBatch = 1 / 20;

/**
 * Opens connections at a rate, sends the first bytes of a node on each and resets it after a second. Uses bare sockets,
 * because an HTTP/2 client costs as much CPU per connection as the server.
 *
 * @param localAddress the client's address
 * @param rate connections per second
 * @returns a function that stops the flood
 */
export function floodConnections(port: number, localAddress: string, rate: number, firstBytes: Uint8Array): () => void {
  const open = new Map<Socket, number>();
  const startedAt = performance.now();
  let opened = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    for (const [socket, openedAt] of open) {
      if (now - openedAt < lifetime) break;
      open.delete(socket);
      socket.resetAndDestroy();
    }
    const due = ((now - startedAt) * rate) / 1_000;
    // A late timer catches up by one batch at most; otherwise this loop would block the message that stops it.
    opened = Math.max(opened, due - rate * maxBatch);
    for (; opened < due; opened += 1) {
      open.set(createRawSocketNode(port, firstBytes, localAddress), now);
    }
  }, interval);
  return () => {
    clearInterval(timer);
    for (const socket of open.keys()) socket.resetAndDestroy();
  };
}
