import { readFile } from 'node:fs/promises';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import {
  type ClientConfig,
  ClientStatusDiscoveryServiceClient,
  ClientStatusRequest,
  type ClientStatusResponse,
  ConfigStatus,
  type DeepPartial,
} from '../../../src/gen/envoy/service/status/v3/csds.ts';
import { type AdminParts, startAdmin } from '../../../src/serve/serve.ts';
import type { ServedWorld } from '../worlds/served-world.ts';

/** A client of an admin listener. */
export interface Operator {
  readonly address: string;
  readonly client: ClientStatusDiscoveryServiceClient;
  /** Fetches the client status once; rejects with the ServiceError. */
  ask(request?: DeepPartial<ClientStatusRequest>): Promise<readonly ClientConfig[]>;
  close(): Promise<void>;
}

/** The descriptor set that the program serves. */
export const descriptorSet: Promise<Uint8Array> = readFile(
  new URL('../../../src/gen/descriptors.binpb', import.meta.url),
);

/**
 * Starts the admin listener of a world, and a client of it.
 *
 * @param parts overrides of the listener's parts
 */
export async function createOperator(
  { server, clock, counters, log }: ServedWorld,
  parts: Partial<AdminParts> = {},
): Promise<Operator> {
  const { health } = server;
  const admin = await startAdmin(
    { host: '127.0.0.1', port: 0 },
    {
      health,
      clients: () => server.clients(),
      descriptorSet: await descriptorSet,
      security: undefined,
      clock,
      counters,
      log,
      ...parts,
    },
  );
  const operator = operatorAt(`127.0.0.1:${admin.address.port}`);
  return {
    ...operator,
    async close() {
      await operator.close();
      await admin.stop();
    },
  };
}

/** Creates an operator, and closes it when the test has finished. */
export async function startOperator(...parameters: Parameters<typeof createOperator>): Promise<Operator> {
  const operator = await createOperator(...parameters);
  onTestFinished(() => operator.close());
  return operator;
}

/** A client of a running listener. */
export function operatorAt(address: string): Operator {
  const client = new ClientStatusDiscoveryServiceClient(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
  });
  return {
    address,
    client,
    ask: (request = {}) =>
      new Promise((resolve, reject) => {
        const told = (error: ServiceError | null, response: ClientStatusResponse): void =>
          error ? reject(error) : resolve(response.config);
        client.fetchClientStatus(ClientStatusRequest.fromPartial(request), told);
      }),
    async close() {
      client.close();
    },
  };
}

/** The states of a client's resources, by name. */
export function statesOf(config: ClientConfig | undefined): Record<string, string> {
  const name = (status: ConfigStatus): string =>
    Object.entries(ConfigStatus).find(([, value]) => value === status)?.[0] ?? String(status);
  return Object.fromEntries((config?.genericXdsConfigs ?? []).map((entry) => [entry.name, name(entry.configStatus)]));
}
