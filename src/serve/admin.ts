import { Server } from '@grpc/grpc-js';
import type { StopAsync } from '../edges.ts';
import { bind, type Listen, unbind } from './bind.ts';
import type { Health } from './health.ts';

/** The gRPC services that are for operators and not for nodes, running. */
export interface RunningAdmin {
  /** Where it really listens. */
  readonly address: Listen;
  readonly stop: StopAsync;
}

/** Serves what concerns every Gateway at once, on a listener of its own, by default on loopback. */
export async function startAdmin(listen: Listen, health: Health): Promise<RunningAdmin> {
  const server = new Server({ 'grpc.enable_channelz': 0 });
  health.register(server);
  const address = await bind(server, listen, 'operators');
  return {
    address,
    stop: () => unbind(server, address, 0),
  };
}
