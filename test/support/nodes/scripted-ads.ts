import { connect, createServer, type Socket } from 'node:net';
import { Server, ServerCredentials, type ServerDuplexStream, type status } from '@grpc/grpc-js';
import { AggregatedDiscoveryServiceService } from '../../../src/gen/envoy/service/discovery/v3/ads.ts';
import {
  type DeepPartial,
  type DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
} from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';

/** A scripted ADS server over real gRPC. */
export interface ScriptedAds {
  readonly port: number;
  /** Settles with the next delta stream, open already or later. */
  stream(): Promise<ScriptedStream>;
  /** Destroys every connection, as a crash does. */
  stop(): void;
}

/** One delta stream from the server's side. */
export interface ScriptedStream {
  /** The request headers, with `:authority`. */
  readonly authority: string;
  /** Settles with the next request, received already or later. */
  request(): Promise<DeltaDiscoveryRequest>;
  send(response: DeepPartial<DeltaDiscoveryResponse>): void;
  /** Ends the stream with OK. */
  end(): void;
  fail(code: status, details: string): void;
}

/** An unbounded queue whose reader may wait for the next value. */
interface Queue<Value> {
  put(value: Value): void;
  take(): Promise<Value>;
}

/** @param port a free one by default */
export async function startScriptedAds(port = 0): Promise<ScriptedAds> {
  const server = new Server({ 'grpc.enable_channelz': 0 });
  const streams = createQueue<ScriptedStream>();
  server.addService(AggregatedDiscoveryServiceService, {
    streamAggregatedResources: (call: { end(): void }) => call.end(),
    deltaAggregatedResources: (call: ServerDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>) =>
      streams.put(scripted(call)),
  });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
    error === null ? resolve(bound) : reject(error),
  );
  const door = await openDoor(port, await promise);
  return {
    port: door.port,
    stream: streams.take,
    stop() {
      door.shut();
      server.forceShutdown();
    },
  };
}

/** A TCP proxy before the server: a gRPC server that shuts down still sends GOAWAY, and a crash does not. */
async function openDoor(port: number, behind: number): Promise<{ readonly port: number; shut(): void }> {
  const sockets = new Set<Socket>();
  const door = createServer((outside) => {
    const inside = connect(behind, '127.0.0.1');
    for (const [socket, other] of [
      [outside, inside],
      [inside, outside],
    ] as const) {
      sockets.add(socket);
      socket
        .on('error', () => {})
        .on('close', () => other.destroy())
        .pipe(other);
    }
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  door.once('error', reject).listen(port, '127.0.0.1', resolve);
  await promise;
  const bound = door.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    shut() {
      door.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function scripted(call: ServerDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>): ScriptedStream {
  const requests = createQueue<DeltaDiscoveryRequest>();
  call.on('data', (request: DeltaDiscoveryRequest) => requests.put(request));
  call.on('error', () => {});
  return {
    authority: call.getHost(),
    request: requests.take,
    send: (response) => call.write(DeltaDiscoveryResponse.fromPartial(response)),
    end: () => call.end(),
    fail: (code, details) => call.emit('error', Object.assign(new Error(details), { code, details })),
  };
}

function createQueue<Value>(): Queue<Value> {
  const values: Value[] = [];
  const readers: ((value: Value) => void)[] = [];
  return {
    put(value) {
      const reader = readers.shift();
      if (reader === undefined) values.push(value);
      else reader(value);
    },
    take() {
      const { promise, resolve } = Promise.withResolvers<Value>();
      const value = values.shift();
      if (value === undefined) readers.push(resolve);
      else resolve(value);
      return promise;
    },
  };
}
