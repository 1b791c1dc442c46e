import { credentials, status } from '@grpc/grpc-js';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  ClientStatusDiscoveryServiceClient,
  ClientStatusRequest,
  type ClientStatusResponse,
} from '../../../../src/gen/envoy/service/status/v3/csds.ts';
import { type Operator, startOperator, statesOf } from '../../../support/nodes/operator.ts';
import { targetType } from '../../../support/worlds/hand-made-world.ts';
import { gateway, gatewayNode, type ServedWorld, startServedWorld } from '../../../support/worlds/served-world.ts';

let world: ServedWorld;
let operator: Operator;

beforeEach(async () => {
  world = await startServedWorld();
  operator = await startOperator(world);
  world.put('default/a', 'default/b');
});

describe('a client status request', () => {
  it('on a stream gets one response, in order, and there are no others', async () => {
    const call = operator.client.streamClientStatus();
    const answers = call[Symbol.asyncIterator]();
    const next = async (): Promise<ClientStatusResponse> => (await answers.next()).value;
    call.write(ClientStatusRequest.create());
    expect((await next()).config).toEqual([]);
    const stream = await world.following();
    world.put('default/c');
    await stream.next();
    call.write(ClientStatusRequest.create());
    call.write(ClientStatusRequest.create({ excludeResourceContents: true }));
    expect((await next()).config[0]?.genericXdsConfigs).toHaveLength(3);
    expect((await next()).config[0]?.genericXdsConfigs[0]?.xdsConfig).toBeUndefined();
    call.end();
    expect((await answers.next()).done).toBe(true);
  });

  it('that is invalid ends that stream only', async () => {
    const call = operator.client.streamClientStatus();
    call.write(ClientStatusRequest.fromPartial({ nodeMatchers: [{ nodeId: {} }] }));
    await expect(call[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(await operator.ask()).toEqual([]);
  });

  it('for a client with thousands of resources is answered completely', async () => {
    world.put(...Array.from({ length: 2_000 }, (_, number) => `many/${number}`));
    await world.following();
    const [config] = await operator.ask();
    expect(new Set(Object.values(statesOf(config)))).toEqual(new Set(['SYNCED']));
    expect(config?.genericXdsConfigs.map(({ name }) => name)).toEqual(
      [...(world.snapshots.of(gateway).views.get(targetType)?.resources() ?? [])].map(({ name }) => name),
    );
  });
});

describe('a client status response', () => {
  it('encodes the matching clients only', async () => {
    await world.following();
    await world.following({ node: { ...gatewayNode, id: 'other' } });
    const read: string[] = [];
    const counting = await startOperator(world, {
      clients: () =>
        world.server.clients().map((client) => ({
          ...client,
          resources: () => {
            read.push(client.node.id);
            return client.resources();
          },
        })),
    });
    const nodeMatchers = [{ nodeId: { matchPattern: { $case: 'exact' as const, value: 'other' } } }];
    expect(await counting.ask({ nodeMatchers })).toHaveLength(1);
    expect(read).toEqual(['other']);
  });

  it('above the size limit is rejected with a remedy; a part of it is sent', async () => {
    world.put(...Array.from({ length: 100 }, (_, number) => `many/${number}`));
    await world.following();
    const small = await startOperator(world, { maxAnswer: 8_000 });
    await expect(small.ask()).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringContaining('exclude_resource_contents'),
    });
    const nodeMatchers = [{ nodeId: { matchPattern: { $case: 'exact' as const, value: 'nobody' } } }];
    expect(await small.ask({ nodeMatchers })).toEqual([]);
  });
});

describe('the client status service', () => {
  it('builds no response before the previous one was read', async () => {
    world.put(...Array.from({ length: 2_000 }, (_, number) => `many/${number}`));
    await world.following();
    let asked = 0;
    const first = Promise.withResolvers<void>();
    const counting = await startOperator(world, {
      clients: () => {
        asked += 1;
        if (asked === 1) first.resolve();
        return world.server.clients();
      },
    });
    const call = counting.client.streamClientStatus();
    call.on('error', () => {});
    for (let request = 0; request < 100; request += 1) call.write(ClientStatusRequest.create());
    await first.promise;
    // While the other operator got this many responses, the first one could have got as many.
    for (let turn = 0; turn < 5; turn += 1)
      expect(await operator.ask({ excludeResourceContents: true })).toHaveLength(1);
    expect(asked).toBeLessThan(5);
    call.cancel();
  });

  it('is not served on the xDS port', async () => {
    const client = new ClientStatusDiscoveryServiceClient(world.address, credentials.createInsecure());
    const call = client.streamClientStatus();
    await expect(call[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
    client.close();
  });

  it('ends a call with a malformed request, and no other', async () => {
    const junk = Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    const ended = new Promise((resolve) => {
      const asIs = (bytes: Buffer): Buffer => bytes;
      const path = '/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus';
      operator.client.makeUnaryRequest(path, asIs, asIs, junk, (error) => resolve(error?.code));
    });
    expect(await ended).toBe(status.INTERNAL);
    expect(await operator.ask()).toEqual([]);
  });
});
