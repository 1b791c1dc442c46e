import type { Socket } from 'node:net';
import { createRawSocketNode } from '../../support/nodes/raw-socket-node.ts';

/** Milliseconds from one handful of connections to the next, and for which each is kept. */
const tick = 10;
const kept = 1_000;

/** How much of a second's worth is opened at once. */
const mostAtOnce = 1 / 20;

/**
 * Opens so many connections a second, each of which says these words and is reset a second later; ends when the answer
 * is called. Bare sockets, because a client of HTTP/2 has to work as hard for each as the server.
 */
export function floodConnections(port: number, localAddress: string, rate: number, words: Uint8Array): () => void {
  const open = new Map<Socket, number>();
  const begun = performance.now();
  let made = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    for (const [socket, since] of open) {
      if (now - since < kept) break;
      open.delete(socket);
      socket.resetAndDestroy();
    }
    const due = ((now - begun) * rate) / 1_000;
    // A timer that comes late makes up for it, within limits: whoever only makes up never hears that it is over.
    made = Math.max(made, due - rate * mostAtOnce);
    for (; made < due; made += 1) {
      open.set(createRawSocketNode(port, words, localAddress), now);
    }
  }, tick);
  return () => {
    clearInterval(timer);
    for (const socket of open.keys()) socket.resetAndDestroy();
  };
}
