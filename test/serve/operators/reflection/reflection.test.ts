import { type ClientDuplexStream, credentials, status } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import 'protobufjs/ext/descriptor.js';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import {
  ServerReflectionClient,
  ServerReflectionRequest,
  type ServerReflectionResponse,
} from '../../../../src/gen/grpc/reflection/v1/reflection.ts';
import { ServerReflectionClient as AlphaClient } from '../../../../src/gen/grpc/reflection/v1alpha/reflection.ts';
import { type Operator, startOperator } from '../../../support/nodes/operator.ts';
import { targetType } from '../../../support/worlds/hand-made-world.ts';
import { type ServedWorld, startServedWorld } from '../../../support/worlds/served-world.ts';

type Question = NonNullable<ServerReflectionRequest['messageRequest']>;
type Reply = NonNullable<ServerReflectionResponse['messageResponse']>;
type Call = ClientDuplexStream<ServerReflectionRequest, ServerReflectionResponse>;

let world: ServedWorld;
let operator: Operator;
let clients: readonly { close(): void }[];
let ask: (question: Question) => Promise<Reply>;
let askAlpha: (question: Question) => Promise<Reply>;

beforeEach(async () => {
  world = await startServedWorld();
  operator = await startOperator(world);
  const client = new ServerReflectionClient(operator.address, credentials.createInsecure());
  const alpha = new AlphaClient(operator.address, credentials.createInsecure());
  clients = [client, alpha];
  ask = asking(client.serverReflectionInfo());
  askAlpha = asking(alpha.serverReflectionInfo());
});

afterEach(() => {
  for (const client of clients) client.close();
});

/** Sends requests on one stream, one after another. */
function asking(call: Call): (question: Question) => Promise<Reply> {
  // The stream is cancelled with its connection.
  call.on('error', () => {});
  const answers = call[Symbol.asyncIterator]();
  return async (messageRequest) => {
    call.write(ServerReflectionRequest.fromPartial({ host: 'here', messageRequest }));
    const { originalRequest, validHost, messageResponse }: ServerReflectionResponse = (await answers.next()).value;
    expect({ originalRequest, validHost }).toEqual({
      originalRequest: { host: 'here', messageRequest },
      validHost: 'here',
    });
    if (messageResponse === undefined) throw new Error('the answer says nothing');
    return messageResponse;
  };
}

const symbol = (value: string): Question => ({ $case: 'fileContainingSymbol', value });
const file = (value: string): Question => ({ $case: 'fileByFilename', value });

function filesIn(reply: Reply): readonly FileDescriptorProto[] {
  if (reply.$case !== 'fileDescriptorResponse') throw new Error(`files were expected, not ${JSON.stringify(reply)}`);
  return reply.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

function namesIn(reply: Reply): readonly string[] {
  return filesIn(reply).map(({ name }) => name);
}

const csds = 'envoy/service/status/v3/csds.proto';
const health = 'grpc/health/v1/health.proto';

describe('server reflection', () => {
  it('lists the services of this listener only', async () => {
    expect(await ask({ $case: 'listServices', value: '' })).toEqual({
      $case: 'listServicesResponse',
      value: {
        service: [
          { name: 'envoy.service.status.v3.ClientStatusDiscoveryService' },
          { name: 'grpc.health.v1.Health' },
          { name: 'grpc.reflection.v1.ServerReflection' },
          { name: 'grpc.reflection.v1alpha.ServerReflection' },
        ],
      },
    });
  });

  it('describes every service that it lists', async () => {
    const reply = await ask({ $case: 'listServices', value: '*' });
    const services = reply.$case === 'listServicesResponse' ? reply.value.service : [];
    expect(services).toHaveLength(4);
    for (const { name } of services) {
      const [first] = filesIn(await ask(symbol(name)));
      expect(first?.service.map((service) => `${first.package}.${service.name}`)).toContain(name);
    }
  });

  it.each([
    ['a service', 'envoy.service.status.v3.ClientStatusDiscoveryService', csds],
    ['a method', 'grpc.health.v1.Health.Watch', health],
    ['a message', 'grpc.health.v1.HealthCheckRequest', health],
    ['a field', 'grpc.health.v1.HealthCheckRequest.service', health],
    ['a nested message', 'envoy.service.status.v3.ClientConfig.GenericXdsConfig', csds],
    ['a nested enum', 'grpc.health.v1.HealthCheckResponse.ServingStatus', health],
    ['a value of a nested enum', 'grpc.health.v1.HealthCheckResponse.SERVING', health],
    ['an enum', 'envoy.service.status.v3.ConfigStatus', csds],
    ['a value of an enum', 'envoy.service.status.v3.SYNCED', csds],
    ['a oneof', 'envoy.type.matcher.v3.StringMatcher.match_pattern', 'envoy/type/matcher/v3/string.proto'],
    ['the type of a resource', targetType.split('/')[1] ?? '', 'mcp/kgateway/dev/target/v1alpha1/target.proto'],
  ])('finds the file of %s', async (_, name, path) => {
    expect(namesIn(await ask(symbol(name)))[0]).toBe(path);
  });

  it('sends a file with its dependencies, each once per stream', async () => {
    const first = namesIn(await ask(file(csds)));
    expect(new Set(first).size).toBe(first.length);
    expect(first).toEqual(
      expect.arrayContaining([csds, 'envoy/type/matcher/v3/regex.proto', 'google/protobuf/any.proto']),
    );
    expect(namesIn(await ask(file(csds)))).toEqual([csds]);
    expect(namesIn(await ask(file('envoy/type/matcher/v3/node.proto')))).toEqual(['envoy/type/matcher/v3/node.proto']);
  });

  it('gives a client without descriptors enough to call a method', async () => {
    const files = filesIn(await ask(symbol('envoy.service.status.v3.ClientStatusDiscoveryService')));
    const set = toBinary(FileDescriptorSetSchema, { $typeName: 'google.protobuf.FileDescriptorSet', file: [...files] });
    const root = protobuf.Root.fromDescriptor(set);
    root.resolveAll();
    const service = root.lookupService('envoy.service.status.v3.ClientStatusDiscoveryService');
    expect(
      service.methodsArray.map(({ name, requestStream, responseStream }) => [name, requestStream, responseStream]),
    ).toEqual([
      ['StreamClientStatus', true, true],
      ['FetchClientStatus', undefined, undefined],
    ]);
    const request = root.lookupType('envoy.service.status.v3.ClientStatusRequest');
    expect(Object.keys(request.fields)).toContain('excludeResourceContents');
  });

  it('is the same in v1alpha', async () => {
    expect(await askAlpha({ $case: 'listServices', value: '' })).toEqual(
      await ask({ $case: 'listServices', value: '' }),
    );
    expect(namesIn(await askAlpha(symbol('grpc.health.v1.Health')))).toEqual([health]);
  });
});

describe('server reflection, for an unknown name,', () => {
  it.each<[string, Question, string]>([
    ['a file', file('no/such.proto'), 'no file "no/such.proto" here'],
    ['a symbol', symbol('no.such.Service'), 'no symbol "no.such.Service" here'],
    ['a package', symbol('grpc.health.v1'), 'no symbol "grpc.health.v1" here'],
    [
      'an extension',
      {
        $case: 'fileContainingExtension',
        value: { containingType: 'grpc.health.v1.HealthCheckRequest', extensionNumber: 9 },
      },
      'no extension 9 of "grpc.health.v1.HealthCheckRequest" here',
    ],
    [
      'extensions of an unknown message',
      { $case: 'allExtensionNumbersOfType', value: 'no.such.Message' },
      'no message "no.such.Message" here',
    ],
  ])('answers with an error for %s, and goes on', async (_, question, errorMessage) => {
    expect(await ask(question)).toEqual({
      $case: 'errorResponse',
      value: { errorCode: status.NOT_FOUND, errorMessage },
    });
    expect(namesIn(await ask(file(health)))).toEqual([health]);
  });

  it('answers that a message has no extensions', async () => {
    const message = 'grpc.health.v1.HealthCheckRequest';
    expect(await ask({ $case: 'allExtensionNumbersOfType', value: message })).toEqual({
      $case: 'allExtensionNumbersResponse',
      value: { baseTypeName: message, extensionNumber: [] },
    });
  });
});
