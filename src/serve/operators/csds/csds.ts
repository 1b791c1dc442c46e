import { ClientStatusRequest } from '../../../gen/envoy/service/status/v3/csds.ts';
import type { ConnectedClient } from '../../model.ts';
import { type Answering, type CallHandler, decodeRequest, RequestError } from '../request-response-stream.ts';
import { configHeader, encodeClientConfig } from './client-config.ts';
import { nodeMatcher } from './node-matcher.ts';

/** The dependencies of CSDS. */
export interface ClientStatusParts {
  readonly clients: () => readonly ConnectedClient[];
  /** The largest response; RESOURCE_EXHAUSTED beyond. Bytes; default 64 MiB. */
  readonly maxAnswer?: number;
}

/**
 * Creates the client status discovery service (CSDS): which nodes are connected and, by resource, what each was sent
 * and answered. One response per request; a node with two streams has two ClientConfigs.
 *
 * @returns the handler of each call
 */
export function createClientStatus({ clients, maxAnswer = 64 << 20 }: ClientStatusParts): () => CallHandler {
  return () => (bytes, answering) =>
    encodeResponse(clients, decodeRequest(ClientStatusRequest.decode, bytes), { ...answering, maxAnswer });
}

async function encodeResponse(
  clients: () => readonly ConnectedClient[],
  { nodeMatchers, excludeResourceContents }: ClientStatusRequest,
  { maxAnswer, isWanted, hold, turn }: Answering & { readonly maxAnswer: number },
): Promise<Buffer> {
  const matches = await nodeMatcher(nodeMatchers);
  const response: Uint8Array[] = [];
  let size = 0;
  for (const client of clients()) {
    await turn();
    if (!isWanted()) break;
    if (!matches(client.node)) continue;
    const chunks: Uint8Array[] = [];
    const sizeBefore = size;
    for (const chunk of encodeClientConfig(client, { contents: !excludeResourceContents })) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxAnswer) throw tooLarge(maxAnswer);
      hold(size);
      await turn();
      if (!isWanted()) break;
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
