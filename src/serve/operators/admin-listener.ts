import { Server } from '@grpc/grpc-js';
import type { StopAsync } from '../../edges.ts';
import type { HostPort } from '../../net/host-port.ts';
import { isLoopback } from '../../net/loopback.ts';
import { bind, unbind } from '../transport/bind.ts';
import { type ClientStatusParts, registerClientStatus } from './csds/csds.ts';
import type { Health } from './health.ts';
import { registerReflection } from './reflection/reflection.ts';

/** The admin listener, started. */
export interface RunningAdmin {
  /** The bound address, with the port that was chosen for 0. */
  readonly address: HostPort;
  readonly stop: StopAsync;
}

/** The dependencies of the admin listener. */
export interface AdminParts extends ClientStatusParts {
  readonly health: Health;
  /** A FileDescriptorSet of all messages on the wire. */
  readonly descriptorSet: Uint8Array;
}

/** The largest request; bytes. */
const maxRequest = 64 * 1024;

/**
 * Serves health, CSDS and reflection on a listener of their own, by default on loopback, because CSDS shows the
 * configuration of every Gateway. Clients are not authenticated, so an address outside loopback is logged as a warning.
 */
export async function startAdmin(listen: HostPort, parts: AdminParts): Promise<RunningAdmin> {
  const server = new Server({ 'grpc.enable_channelz': 0, 'grpc.max_receive_message_length': maxRequest });
  const services = ['grpc.health.v1.Health', 'envoy.service.status.v3.ClientStatusDiscoveryService'];
  const { health, descriptorSet, log } = parts;
  health.register(server);
  registerClientStatus(server, parts);
  registerReflection(server, { descriptorSet, services, log });
  const address = await bind(server, listen);
  if (!isLoopback(address.host)) {
    const remedy = 'listen on 127.0.0.1, or let nobody else reach it';
    log.warn('the admin listener shows every Gateway to whoever reaches it', { host: address.host, remedy });
  }
  return {
    address,
    stop: () => unbind(server, address),
  };
}
