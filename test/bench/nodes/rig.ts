import { targetType } from '../../support/worlds/hand-made-world.ts';
import { type ChildProcess, startChildProcess } from '../child-process.ts';
import type { FromFleet, FromServer, GatewayAssignment, ToFleet, ToServer } from './messages.ts';

/** A server and a fleet of nodes, each in a process of its own. */
export interface Rig {
  readonly server: ChildProcess<ToServer, FromServer>;
  readonly fleet: ChildProcess<ToFleet, FromFleet>;
  /** Port of the server on 127.0.0.1. */
  readonly port: number;
  /** Connects all nodes at once, each with its token if there are some; resolves when each has its first response. */
  connect(
    reporting?: 'reporting-versions',
    tokens?: readonly string[],
  ): Promise<Extract<FromFleet, { kind: 'connected' }>>;
  disconnect(): Promise<unknown>;
  /** Makes one change; resolves when every node has acknowledged it. */
  push(): Promise<Extract<FromServer, { kind: 'pushed' }>>;
  /** Returns the number of responses since the last call. */
  received(): Promise<number>;
  stop(): void;
}

export interface FleetOptions {
  readonly nodes: number;
  /** Default: all nodes belong to one Gateway. */
  readonly assignment?: GatewayAssignment;
  /** The type that the nodes request; default: targets. */
  readonly typeUrl?: string;
  /** A type that they request before it. */
  readonly firstType?: string | undefined;
  /** A file with the authority of the server's certificate; default: plaintext. */
  readonly authority?: string;
}

/**
 * Starts a server and a fleet that is not connected yet.
 *
 * @param serverFile entry file of the server process
 * @param args its arguments
 */
export async function startRig(
  { nodes, assignment = 'one-gateway', typeUrl = targetType, authority = '', firstType = '' }: FleetOptions,
  serverFile: URL,
  ...args: readonly string[]
): Promise<Rig> {
  const server = startChildProcess<ToServer, FromServer>(serverFile, ...args);
  const { port } = await server.next('listening');
  const fleetFile = new URL('./fleet-process.ts', import.meta.url);
  const fleetArgs = [String(port), String(nodes), assignment, typeUrl, authority, firstType];
  const fleet = startChildProcess<ToFleet, FromFleet>(fleetFile, ...fleetArgs);
  await fleet.next('ready');
  return {
    server,
    fleet,
    port,
    connect: (reporting, tokens = []) =>
      fleet.request({ kind: 'connect', reporting: reporting !== undefined, tokens }, 'connected'),
    disconnect: () => fleet.request({ kind: 'disconnect' }, 'disconnected'),
    push: () => server.request({ kind: 'push', nodes }, 'pushed'),
    received: async () => (await fleet.request({ kind: 'count-responses' }, 'received')).responses,
    stop() {
      fleet.stop();
      server.stop();
    },
  };
}
