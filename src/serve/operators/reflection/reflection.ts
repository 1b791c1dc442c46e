import { type Server, type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { Logger } from '../../../edges.ts';
import {
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionService as version1,
} from '../../../gen/grpc/reflection/v1/reflection.ts';
import { ServerReflectionService as version1Alpha } from '../../../gen/grpc/reflection/v1alpha/reflection.ts';
import { quoted } from '../../request/bounded-text.ts';
import { answerEach } from '../request-response-stream.ts';
import { type DescribedFile, type DescriptorIndex, indexDescriptors } from './descriptor-index.ts';

type Response = NonNullable<ServerReflectionResponse['messageResponse']>;
type Call = ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>;

export interface ReflectionParts {
  /** The FileDescriptorSet of every message that goes over the wire, its imports included. */
  readonly descriptorSet: Uint8Array;
  /** The full names of the services on this server, besides reflection itself. */
  readonly services: readonly string[];
  readonly log: Logger;
}

/**
 * The server reflection of gRPC, in version 1 and in the version 1alpha that is the same under another name. It lists
 * the services of this server, and describes every message of ours: a tool can show a resource that it met in an Any.
 */
export function registerReflection(server: Server, { descriptorSet, services, log }: ReflectionParts): void {
  const index = indexDescriptors(descriptorSet);
  const listed = [
    ...services,
    'grpc.reflection.v1.ServerReflection',
    'grpc.reflection.v1alpha.ServerReflection',
  ].sort();
  const serverReflectionInfo = (call: Call): void => {
    /** Files that this client has already: it gets none of them again unless it asks for the file itself. */
    const known = new Set<string>();
    const answer = (request: ServerReflectionRequest): ServerReflectionResponse => ({
      validHost: request.host,
      originalRequest: request,
      messageResponse: respond(request, { index, services: listed, known }),
    });
    answerEach(call, answer, log);
  };
  server.addService(version1, { serverReflectionInfo });
  server.addService(version1Alpha, { serverReflectionInfo });
}

interface About {
  readonly index: DescriptorIndex;
  readonly services: readonly string[];
  readonly known: Set<string>;
}

function respond({ messageRequest }: ServerReflectionRequest, about: About): Response {
  const { index } = about;
  switch (messageRequest?.$case) {
    case undefined:
      return failure(status.INVALID_ARGUMENT, 'the request asks for nothing');
    case 'listServices':
      return { $case: 'listServicesResponse', value: { service: about.services.map((name) => ({ name })) } };
    case 'fileByFilename':
      return files(index.file(messageRequest.value), `file ${quoted(messageRequest.value)}`, about);
    case 'fileContainingSymbol':
      return files(index.declaring(messageRequest.value), `symbol ${quoted(messageRequest.value)}`, about);
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = messageRequest.value;
      const file = index.extensionsOf(containingType)?.get(extensionNumber);
      return files(file, `extension ${extensionNumber} of ${quoted(containingType)}`, about);
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

/** The file first, then all it needs that the client does not have. */
function files(file: DescribedFile | undefined, what: string, { index, known }: About): Response {
  if (file === undefined) return failure(status.NOT_FOUND, `no ${what} here`);
  const wanted = new Map([[file.name, file]]);
  // The list grows while it is walked.
  for (const { dependencies } of wanted.values()) {
    for (const name of dependencies) {
      const needed = known.has(name) ? undefined : index.file(name);
      if (needed !== undefined) wanted.set(name, needed);
    }
  }
  for (const name of wanted.keys()) known.add(name);
  const fileDescriptorProto = Array.from(wanted.values(), ({ bytes }) => bytes);
  return { $case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
}

function failure(errorCode: status, errorMessage: string): Response {
  return { $case: 'errorResponse', value: { errorCode, errorMessage } };
}
