import { describe, expect } from 'vitest';
import { Node } from '../../../src/gen/envoy/config/core/v3/base.ts';
import { ClientStatusRequest } from '../../../src/gen/envoy/service/status/v3/csds.ts';
import { ServerReflectionRequest, ServerReflectionResponse } from '../../../src/gen/grpc/reflection/v1/reflection.ts';
import { nodeMatcher } from '../../../src/serve/operators/csds/node-matcher.ts';
import { indexDescriptors } from '../../../src/serve/operators/reflection/descriptor-index.ts';
import { respond } from '../../../src/serve/operators/reflection/reflection.ts';
import { RequestError } from '../../../src/serve/operators/request-response-stream.ts';
import { fuzz } from '../../support/fuzz/fuzz.ts';
import { descriptorSet } from '../../support/nodes/operator.ts';

const index = indexDescriptors(await descriptorSet);
const node = Node.create({ id: 'mcpgw~10.0.0.1~gw.default', metadata: { role: 'mcp~default~gw', n: [1, null, 'x'] } });

/** Decodes with generated code, which throws an Error for bytes that are malformed; grpc-js ends the call then. */
function decoded<T>(decode: (input: Buffer) => T, input: Buffer): T | undefined {
  try {
    return decode(input);
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return undefined;
  }
}

describe('any bytes', () => {
  fuzz('of a client status request are an error with a status, or matchers that answer for a node', {
    corpus: new URL('./corpus/csds/', import.meta.url),
    run: async (input) => {
      const request = decoded(ClientStatusRequest.decode, input);
      if (request === undefined) return;
      try {
        const matches = await nodeMatcher(request.nodeMatchers);
        expect(typeof matches(node)).toBe('boolean');
      } catch (error) {
        expect(error).toBeInstanceOf(RequestError);
      }
    },
  });

  fuzz('of a reflection request get a response that can be encoded', {
    corpus: new URL('./corpus/reflection/', import.meta.url),
    run: (input) => {
      const request = decoded(ServerReflectionRequest.decode, input);
      if (request === undefined) return;
      const messageResponse = respond(request, { index, services: ['a.B'], sentFiles: new Set() });
      ServerReflectionResponse.encode(ServerReflectionResponse.fromPartial({ messageResponse })).finish();
    },
  });
});
