import { Client, credentials, Server, ServerCredentials, type ServiceError, status } from '@grpc/grpc-js';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { HealthService } from '../../../src/gen/grpc/health/v1/health.ts';
import { Health } from '../../../src/serve/operators/health.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { createRawConnection, grpcFrame, type RawConnection } from '../../support/nodes/raw-stream.ts';
import { unaryRequestCallsParts } from '../../support/nodes/unary-calls.ts';

let clock: ManualClock;
let address: string;
let connection: RawConnection;

beforeEach(async () => {
  clock = createManualClock();
  const server = new Server();
  new Health(() => true, unaryRequestCallsParts({ clock, maxConcurrent: 2 })).register(server);
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, chosen: number): void => (error === null ? resolve(chosen) : reject(error));
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), bound);
  });
  address = `127.0.0.1:${port}`;
  connection = createRawConnection(address);
  return () => {
    connection.close();
    // Not `forceShutdown`: in grpc-js 1.14 it finds no connection when channelz is off.
    server.drain(address, 0);
    return new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  };
});

type RawStream = ReturnType<RawConnection['open']>;
const open = (method: 'check' | 'watch' = 'check'): RawStream =>
  connection.open({ ':path': HealthService[method].path });
const check = (): Promise<number> =>
  new Promise((resolve) => {
    const client = new Client(address, credentials.createInsecure());
    onTestFinished(() => client.close());
    const { path, requestSerialize, responseDeserialize } = HealthService.check;
    const told = (error: ServiceError | null): void => resolve(error?.code ?? status.OK);
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service: '' }, told);
  });

describe('a call with one request', () => {
  it('whose request is not received in time ends DEADLINE_EXCEEDED, also after a part of it', async () => {
    const silent = open();
    const partial = open('watch');
    await partial.write(grpcFrame(Buffer.alloc(10), 1_000));
    while (clock.waiting().length < 2) await check();
    clock.advance(30_000);
    expect(await silent.ended).toEqual({ grpcStatus: status.DEADLINE_EXCEEDED });
    expect(await partial.ended).toEqual({ grpcStatus: status.DEADLINE_EXCEEDED });
    clock.advance(5_000);
    expect([await silent.closed, await partial.closed]).toEqual([8, 8]);
  });

  it('above the size limit ends before all of it is received, and is not read any further', async () => {
    const stream = open();
    let taken = false;
    void stream.write(grpcFrame(Buffer.alloc(1 << 20), 3 << 20)).then(() => {
      taken = true;
    });
    expect(await stream.ended).toEqual({ grpcStatus: status.RESOURCE_EXHAUSTED });
    for (let count = 0; count < 20; count += 1) expect(await check()).toBe(status.OK);
    expect(taken).toBe(false);
    clock.advance(5_000);
    expect(await stream.closed).toBe(8);
  });

  it('that was answered is not read any further', async () => {
    const stream = open('watch');
    await stream.write(grpcFrame(Buffer.alloc(0)));
    void stream.write(grpcFrame(Buffer.alloc(2_000), 1 << 20));
    expect(await stream.ended).toEqual({ grpcStatus: status.RESOURCE_EXHAUSTED });
  });

  it('that failed releases its place, also if the client ended it', async () => {
    for (let count = 0; count < 2; count += 1) {
      const stream = open();
      void stream.write(grpcFrame(Buffer.alloc(20_000)));
      stream.finish();
      expect(await stream.ended).toEqual({ grpcStatus: status.RESOURCE_EXHAUSTED });
    }
    while ((await check()) !== status.OK) clock.advance(5_000);
  });

  it('without a request ends INVALID_ARGUMENT', async () => {
    const client = new Client(address, credentials.createInsecure());
    onTestFinished(() => client.close());
    const { path, requestSerialize, responseDeserialize } = HealthService.watch;
    const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    call.on('data', () => {});
    call.end();
    const error = await new Promise<ServiceError>((resolve) => call.on('error', resolve));
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, details: 'there is no request' });
  });

  it('above the limit of open calls is rejected until others end', async () => {
    const streams = [open('watch'), open('watch')];
    for (const stream of streams) await stream.write(grpcFrame(Buffer.alloc(0)));
    while ((await check()) !== status.RESOURCE_EXHAUSTED);
    for (const stream of streams) stream.reset();
    while ((await check()) !== status.OK);
  });

  it('that goes on sending after its response is reset after the linger time', async () => {
    const stream = open();
    await stream.write(grpcFrame(Buffer.alloc(0)));
    expect(await stream.ended).toEqual({ grpcStatus: status.OK });
    while (clock.waiting().length === 0) await check();
    clock.advance(5_000);
    expect(await stream.closed).toBe(8);
  });
});
