import { Server } from '@grpc/grpc-js';
import type { StopAsync } from '../../edges.ts';
import type { HostPort } from '../../net/host-port.ts';
import { isLoopback } from '../../net/loopback.ts';
import { bind, unbind } from '../transport/bind.ts';
import { type ClientStatusParts, registerClientStatus } from './csds/csds.ts';
import type { Health } from './health.ts';
import { registerReflection } from './reflection/reflection.ts';

/** The gRPC services that are for operators and not for nodes, running. */
export interface RunningAdmin {
  /** Where it really listens. */
  readonly address: HostPort;
  readonly stop: StopAsync;
}

export interface AdminParts extends ClientStatusParts {
  readonly health: Health;
  /** The FileDescriptorSet of every message that goes over the wire. */
  readonly descriptorSet: Uint8Array;
}

/** Operators' requests are small; bytes. */
const maxRequest = 64 * 1024;

/**
 * Serves what concerns every Gateway at once, on a listener of its own, by default on loopback: health, client status
 * and reflection. Nobody is asked who they are, so an address that is not loopback is warned of.
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
