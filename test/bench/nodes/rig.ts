import { type Process, startProcess } from '../child-process.ts';
import type { FromFleet, FromServer, Naming, ToFleet, ToServer } from './messages.ts';

/** A server and its fleet of nodes, each in its own process. */
export interface Rig {
  readonly server: Process<ToServer, FromServer>;
  readonly fleet: Process<ToFleet, FromFleet>;
  /** Where the server listens, on 127.0.0.1. */
  readonly port: number;
  /** Connects all nodes at once; answers when each has its first answer. */
  connect(knowing?: 'knowing'): Promise<Extract<FromFleet, { kind: 'connected' }>>;
  disconnect(): Promise<unknown>;
  /** One change for all nodes; answers when the last acknowledged it. */
  push(): Promise<Extract<FromServer, { kind: 'pushed' }>>;
  /** How many responses came since it was last asked. */
  received(): Promise<number>;
  stop(): void;
}

/** Starts a server, and a fleet that is not connected yet. */
export async function startRig(
  { nodes, naming = 'one-gateway' }: { readonly nodes: number; readonly naming?: Naming },
  file: URL,
  ...args: readonly string[]
): Promise<Rig> {
  const server = startProcess<ToServer, FromServer>(file, ...args);
  const { port } = await server.heard('listening');
  const fleet = startProcess<ToFleet, FromFleet>(
    new URL('./fleet-process.ts', import.meta.url),
    String(port),
    String(nodes),
    naming,
  );
  await fleet.heard('ready');
  return {
    server,
    fleet,
    port,
    connect: (knowing) => fleet.ask({ kind: 'connect', knowing: knowing !== undefined }, 'connected'),
    disconnect: () => fleet.ask({ kind: 'disconnect' }, 'disconnected'),
    push: () => server.ask({ kind: 'push', nodes }, 'pushed'),
    received: async () => (await fleet.ask({ kind: 'count' }, 'received')).responses,
    stop() {
      fleet.stop();
      server.stop();
    },
  };
}
