import { type Server, type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { Logger } from '../../../edges.ts';
import {
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionService as version1,
} from '../../../gen/grpc/reflection/v1/reflection.ts';
import { ServerReflectionService as version1Alpha } from '../../../gen/grpc/reflection/v1alpha/reflection.ts';
import { quoted } from '../../../json/quoted.ts';
import { respondToEach } from '../request-response-stream.ts';
import type { DescribedFile, DescriptorIndex } from './descriptor-index.ts';

type Response = NonNullable<ServerReflectionResponse['messageResponse']>;
type Call = ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>;

/** The dependencies of server reflection. */
export interface ReflectionParts {
  /** A FileDescriptorSet of all messages on the wire, with their imports. */
  readonly descriptorSet: Uint8Array;
  /** Full names of the services on this server, without reflection itself. */
  readonly services: readonly string[];
  readonly log: Logger;
}

/**
 * Registers gRPC server reflection, as v1 and as v1alpha, which is the same under another name. It lists the services
 * of this server and describes all messages on the wire, so that a tool can decode the resource in an Any. The messages
 * are read at the first request: to read them, and the package that does, is a good part of the time of a start.
 */
export function registerReflection(server: Server, { descriptorSet, services, log }: ReflectionParts): void {
  let reading: Promise<DescriptorIndex> | undefined;
  const read = async (): Promise<DescriptorIndex> => {
    const { indexDescriptors } = await import('./descriptor-index.ts');
    return indexDescriptors(descriptorSet);
  };
  const listed = [
    ...services,
    'grpc.reflection.v1.ServerReflection',
    'grpc.reflection.v1alpha.ServerReflection',
  ].sort();
  const serverReflectionInfo = (call: Call): void => {
    /** Files sent on this stream; as a dependency a file is sent once. */
    const sentFiles = new Set<string>();
    const handler = async (request: ServerReflectionRequest): Promise<ServerReflectionResponse> => {
      reading ??= read();
      const messageResponse = respond(request, { index: await reading, services: listed, sentFiles });
      return { validHost: request.host, originalRequest: request, messageResponse };
    };
    respondToEach(call, handler, log);
  };
  server.addService(version1, { serverReflectionInfo });
  server.addService(version1Alpha, { serverReflectionInfo });
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
