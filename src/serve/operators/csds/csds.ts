import type { Server, ServerDuplexStream, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import type { Logger } from '../../../edges.ts';
import {
  type ClientStatusRequest,
  ClientStatusDiscoveryServiceService as service,
} from '../../../gen/envoy/service/status/v3/csds.ts';
import type { ConnectedClient } from '../../model.ts';
import { asStatus, type Handler, RequestError, respondToEach } from '../request-response-stream.ts';
import { configHeader, encodeClientConfig } from './client-config.ts';
import { nodeMatcher } from './node-matcher.ts';

/** The dependencies of CSDS. */
export interface ClientStatusParts {
  readonly clients: () => readonly ConnectedClient[];
  /** The largest response; RESOURCE_EXHAUSTED beyond. Bytes; default 64 MiB. */
  readonly maxAnswer?: number;
  readonly log: Logger;
}

/**
 * Registers the client status discovery service (CSDS): which nodes are connected and, by resource, what each was sent
 * and answered. One response per request; a node with two streams has two ClientConfigs.
 */
export function registerClientStatus(server: Server, { clients, maxAnswer = 64 << 20, log }: ClientStatusParts): void {
  const handler: Handler<ClientStatusRequest, Buffer> = (request, isWanted) =>
    encodeResponse(clients, request, { maxAnswer, isWanted });
  // Responses are encoded client by client, so the serializer has nothing left to do.
  const responseSerialize = (response: Buffer): Buffer => response;
  server.addService(
    {
      fetchClientStatus: { ...service.fetchClientStatus, responseSerialize },
      streamClientStatus: { ...service.streamClientStatus, responseSerialize },
    },
    {
      fetchClientStatus: (call: ServerUnaryCall<ClientStatusRequest, Buffer>, done: sendUnaryData<Buffer>) => {
        Promise.resolve(handler(call.request, () => !call.cancelled)).then(
          (response) => done(null, response),
          (error: unknown) => done(asStatus(error, log)),
        );
      },
      streamClientStatus: (call: ServerDuplexStream<ClientStatusRequest, Buffer>) => respondToEach(call, handler, log),
    },
  );
}

async function encodeResponse(
  clients: () => readonly ConnectedClient[],
  { nodeMatchers, excludeResourceContents }: ClientStatusRequest,
  { maxAnswer, isWanted }: { readonly maxAnswer: number; readonly isWanted: () => boolean },
): Promise<Buffer> {
  const matches = await nodeMatcher(nodeMatchers);
  const response: Uint8Array[] = [];
  let size = 0;
  for (const client of clients()) {
    await yieldToEventLoop();
    if (!isWanted()) break;
    if (!matches(client.node)) continue;
    const chunks: Uint8Array[] = [];
    const sizeBefore = size;
    for (const chunk of encodeClientConfig(client, { contents: !excludeResourceContents })) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxAnswer) throw tooLarge(maxAnswer);
      await yieldToEventLoop();
    }
    response.push(configHeader(size - sizeBefore), ...chunks);
  }
  return Buffer.concat(response);
}

function tooLarge(bytes: number): RequestError {
  return new RequestError(
    'RESOURCE_EXHAUSTED',
    `the answer is larger than ${bytes} bytes; choose nodes with node_matchers, or set exclude_resource_contents`,
  );
}

/** Lets the event loop serve the nodes between two chunks of a response. */
function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
