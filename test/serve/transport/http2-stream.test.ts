import { once } from 'node:events';
import { connect } from 'node:http2';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { expect, it, onTestFinished } from 'vitest';
import type { AdsCall } from '../../../src/serve/transport/calls.ts';
import { frameOf } from '../../../src/serve/transport/framing.ts';
import { Http2Stream } from '../../../src/serve/transport/http2-stream.ts';

/** A call as another version of the library may make it, with its HTTP/2 stream in another place. */
function withoutStream(call: AdsCall): AdsCall {
  return new Proxy(call, {
    get: (target, key) => {
      const value: unknown = key === 'call' ? undefined : Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** The bytes that a client receives from a server that serves one stream in this way. */
async function received(serve: (call: AdsCall) => void): Promise<Buffer> {
  const server = new Server();
  const same = (bytes: Buffer): Buffer => bytes;
  server.register('/test/stream', serve, same, () => nothing, 'bidi');
  const port = await new Promise<number>((resolve) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_, bound) => resolve(bound));
  });
  const session = connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => {
    session.destroy();
    server.forceShutdown();
  });
  const stream = session.request({ ':method': 'POST', ':path': '/test/stream', 'content-type': 'application/grpc' });
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  return Buffer.concat(chunks);
}

const nothing = { kind: 'undecodable', problem: '' } as const;
const small = frameOf(Buffer.from('small'), '1');
const large = frameOf(Buffer.alloc(200_000, 'x'), '2');
const everything = Buffer.concat([...small, ...large]);

/** Sends two responses and then ends the call, as the end of a node's stream does. */
function send(call: AdsCall, stream: Http2Stream): void {
  stream.write(small);
  stream.write(large);
  call.end();
}

it('messages that are written below the library arrive before the end of the call', async () => {
  expect((await received((call) => send(call, new Http2Stream(call)))).equals(everything)).toBe(true);
});

it('a version of the library that keeps its stream elsewhere is an error in words', async () => {
  const { promise: problem, resolve } = Promise.withResolvers<unknown>();
  await received((call) => {
    try {
      resolve(new Http2Stream(withoutStream(call)));
    } catch (error) {
      resolve(error);
    }
    call.end();
  });
  expect(await problem).toEqual(new TypeError('this version of grpc-js keeps the stream of a call elsewhere'));
});

it('a write to a call whose deadline has passed is dropped without an error', async () => {
  const { promise: refused, resolve } = Promise.withResolvers<boolean>();
  await received((call) => {
    const stream = new Http2Stream(call);
    stream.write(small);
    call.end();
    call.on('finish', () => setImmediate(() => resolve(stream.write(small))));
  });
  expect(await refused).toBe(false);
});
