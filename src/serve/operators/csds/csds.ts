import type { Server, ServerDuplexStream, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import type { Logger } from '../../../edges.ts';
import {
  type ClientStatusRequest,
  ClientStatusDiscoveryServiceService as service,
} from '../../../gen/envoy/service/status/v3/csds.ts';
import type { ConnectedClient } from '../../model.ts';
import { RequestError } from '../request-error.ts';
import { type Answer, answerEach, asStatus } from '../request-response-stream.ts';
import { clientConfig, configHeader } from './client-config.ts';
import { nodeMatcher } from './node-matcher.ts';

export interface ClientStatusParts {
  readonly clients: () => readonly ConnectedClient[];
  /** The most that one answer may be; bytes. Default 64 MiB. */
  readonly maxAnswer?: number;
  readonly log: Logger;
}

/**
 * The client status discovery service: which nodes are connected, what each was sent and what it answered, resource by
 * resource. One answer per request; a node with two streams is listed twice.
 */
export function registerClientStatus(server: Server, { clients, maxAnswer = 64 << 20, log }: ClientStatusParts): void {
  const answer: Answer<ClientStatusRequest, Buffer> = (request, wanted) =>
    answerOf(clients, request, { maxAnswer, wanted });
  // Answers are bytes already: they are put together client by client.
  const responseSerialize = (response: Buffer): Buffer => response;
  server.addService(
    {
      fetchClientStatus: { ...service.fetchClientStatus, responseSerialize },
      streamClientStatus: { ...service.streamClientStatus, responseSerialize },
    },
    {
      fetchClientStatus: (call: ServerUnaryCall<ClientStatusRequest, Buffer>, done: sendUnaryData<Buffer>) => {
        Promise.resolve(answer(call.request, () => !call.cancelled)).then(
          (response) => done(null, response),
          (error: unknown) => done(asStatus(error, log)),
        );
      },
      streamClientStatus: (call: ServerDuplexStream<ClientStatusRequest, Buffer>) => answerEach(call, answer, log),
    },
  );
}

async function answerOf(
  clients: () => readonly ConnectedClient[],
  { nodeMatchers, excludeResourceContents }: ClientStatusRequest,
  { maxAnswer, wanted }: { readonly maxAnswer: number; readonly wanted: () => boolean },
): Promise<Buffer> {
  const matches = nodeMatcher(nodeMatchers);
  const answer: Uint8Array[] = [];
  let size = 0;
  for (const client of clients()) {
    await othersTurn();
    if (!wanted()) break;
    if (!matches(client.node)) continue;
    const pieces: Uint8Array[] = [];
    const before = size;
    for (const piece of clientConfig(client, { contents: !excludeResourceContents })) {
      pieces.push(piece);
      size += piece.length;
      if (size > maxAnswer) throw tooLarge(maxAnswer);
      await othersTurn();
    }
    answer.push(configHeader(size - before), ...pieces);
  }
  return Buffer.concat(answer);
}

function tooLarge(bytes: number): RequestError {
  return new RequestError(
    'RESOURCE_EXHAUSTED',
    `the answer is larger than ${bytes} bytes; choose nodes with node_matchers, or set exclude_resource_contents`,
  );
}

/** The nodes do not wait for an operator: whatever else is due comes first. */
function othersTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
