import type { Socket } from 'node:net';

/**
 * Stops reading below a socket, at once: the pause of a stream reads on until its buffer is full, and sees nothing of what
 * TLS reads below it.
 */
export function stopReading(socket: Socket): void {
  callHandle(socket, 'readStop');
}

/** Reads on after {@link stopReading}; does nothing on a socket that is closed. */
export function startReading(socket: Socket): void {
  if (!socket.destroyed) callHandle(socket, 'readStart');
}

function callHandle(socket: Socket, name: 'readStop' | 'readStart'): void {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return;
  const method: unknown = Reflect.get(handle, name);
  if (typeof method === 'function') Reflect.apply(method, handle, []);
}
