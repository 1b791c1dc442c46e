import { once } from 'node:events';
import { connect } from 'node:http2';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { expect, it, onTestFinished } from 'vitest';
import type { AdsCall } from '../../../src/serve/transport/calls.ts';
import { frameOf } from '../../../src/serve/transport/framing.ts';
import type { Transport } from '../../../src/serve/transport/transport.ts';
import { transportOf } from '../../../src/serve/transport/transport-of.ts';

/** A call as another version of the library may make it: what lies below is not where it was. */
function withoutStream(call: AdsCall): AdsCall {
  return new Proxy(call, {
    get: (target, key) => {
      const value: unknown = key === 'call' ? undefined : Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** What a node is sent by a server that serves one stream in this way. */
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
function send(call: AdsCall, transport: Transport): void {
  transport.write(small, () => {});
  transport.write(large, () => {});
  call.end();
}

it('what is written below the library arrives before the end of the call', async () => {
  expect((await received((call) => send(call, transportOf(call)))).equals(everything)).toBe(true);
});

it('a library that keeps its stream elsewhere carries the same bytes, and resets nothing', async () => {
  const bytes = await received((call) => {
    const transport = transportOf(withoutStream(call));
    transport.reset();
    send(call, transport);
  });
  expect(bytes.equals(everything)).toBe(true);
});

it('a call whose deadline has passed takes no more, and its stream suffers no error', async () => {
  const { promise: refused, resolve } = Promise.withResolvers<boolean>();
  await received((call) => {
    const transport = transportOf(call);
    transport.write(small, () => {});
    call.end();
    call.on('finish', () => setImmediate(() => resolve(transport.write(small, () => {}))));
  });
  expect(await refused).toBe(false);
});
