import { status } from '@grpc/grpc-js';
import {
  ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionService,
} from '../../../gen/grpc/reflection/v1/reflection.ts';
import { quoted } from '../../../json/quoted.ts';
import { type CallHandler, decodeRequest } from '../request-response-stream.ts';
import { type DescribedFile, type DescriptorIndex, indexDescriptors } from './descriptor-index.ts';

type Response = NonNullable<ServerReflectionResponse['messageResponse']>;

/** The dependencies of server reflection. */
export interface ReflectionParts {
  /** A FileDescriptorSet of all messages on the wire, with their imports. */
  readonly descriptorSet: Uint8Array;
  /** Full names of the services on this server, without reflection itself. */
  readonly services: readonly string[];
}

/**
 * Creates gRPC server reflection, of v1 and of v1alpha, whose messages are the same. It lists the services of this server
 * and describes all messages on the wire, so that a tool can decode the resource in an Any.
 *
 * @returns the handler of each call
 */
export function createReflection({ descriptorSet, services }: ReflectionParts): () => CallHandler {
  const index = indexDescriptors(descriptorSet);
  const listed = [
    ...services,
    'grpc.reflection.v1.ServerReflection',
    'grpc.reflection.v1alpha.ServerReflection',
  ].sort();
  const { responseSerialize } = ServerReflectionService.serverReflectionInfo;
  return () => {
    /** Files sent in this call; as a dependency a file is sent once. */
    const sentFiles = new Set<string>();
    return (bytes) => {
      const request = decodeRequest(ServerReflectionRequest.decode, bytes);
      const messageResponse = respond(request, { index, services: listed, sentFiles });
      return responseSerialize({ validHost: request.host, originalRequest: request, messageResponse });
    };
  };
}

interface ReflectionState {
  readonly index: DescriptorIndex;
  readonly services: readonly string[];
  readonly sentFiles: Set<string>;
}

/** Answers one request. */
export function respond({ messageRequest }: ServerReflectionRequest, state: ReflectionState): Response {
  const { index, services } = state;
  switch (messageRequest?.$case) {
    case undefined:
      return failure(status.INVALID_ARGUMENT, 'the request asks for nothing');
    case 'listServices':
      return { $case: 'listServicesResponse', value: { service: services.map((name) => ({ name })) } };
    case 'fileByFilename':
      return files(index.file(messageRequest.value), `file ${quoted(messageRequest.value)}`, state);
    case 'fileContainingSymbol':
      return files(index.declaring(messageRequest.value), `symbol ${quoted(messageRequest.value)}`, state);
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = messageRequest.value;
      const file = index.extensionsOf(containingType)?.get(extensionNumber);
      return files(file, `extension ${extensionNumber} of ${quoted(containingType)}`, state);
    }
    case 'allExtensionNumbersOfType': {
      const baseTypeName = messageRequest.value;
      const extensions = index.extensionsOf(baseTypeName);
      if (extensions === undefined) return failure(status.NOT_FOUND, `no message ${quoted(baseTypeName)} here`);
      const extensionNumber = [...extensions.keys()];
      return { $case: 'allExtensionNumbersResponse', value: { baseTypeName, extensionNumber } };
    }
  }
}

/** Returns the file, followed by its transitive dependencies that were not sent yet. */
function files(file: DescribedFile | undefined, what: string, { index, sentFiles }: ReflectionState): Response {
  if (file === undefined) return failure(status.NOT_FOUND, `no ${what} here`);
  const found = new Map([[file.name, file]]);
  // Dependencies are appended during the iteration, which visits them as well.
  for (const { dependencies } of found.values()) {
    for (const name of dependencies) {
      const dependency = sentFiles.has(name) ? undefined : index.file(name);
      if (dependency !== undefined) found.set(name, dependency);
    }
  }
  for (const name of found.keys()) sentFiles.add(name);
  const fileDescriptorProto = Array.from(found.values(), ({ bytes }) => bytes);
  return { $case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
}

function failure(errorCode: status, errorMessage: string): Response {
  return { $case: 'errorResponse', value: { errorCode, errorMessage } };
}
