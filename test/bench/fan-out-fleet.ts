import { type ClientHttp2Stream, connect } from 'node:http2';
import { AggregatedDiscoveryServiceService as ads } from '../../src/gen/envoy/service/discovery/v3/ads.ts';
import { DeltaDiscoveryRequest } from '../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { targetType } from '../support/hand-made-world.ts';
import type { FromFleet } from './fan-out-messages.ts';

/**
 * A process of its own with many nodes in it, each with its own connection: `fan-out-fleet.ts <port> <nodes>`. They
 * ask for all targets and acknowledge whatever comes, with as little work as that takes.
 */
const [port = '', nodes = '1'] = process.argv.slice(2);
const tell = (message: FromFleet): void => void process.send?.(message);
let responses = 0;
let firstBytes = 0;

const request = framed({ typeUrl: targetType, node: { id: 'node', metadata: { role: 'mcp~default~gw' } } });

function node(): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 1 << 22 } });
  session.on('connect', () => session.setLocalWindowSize(1 << 22));
  session.on('error', reject);
  const stream = session.request({
    ':method': 'POST',
    ':path': ads.deltaAggregatedResources.path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', reject);
  readResponses(stream, (response) => {
    responses += 1;
    firstBytes = Math.max(firstBytes, response.length);
    stream.write(framed({ typeUrl: targetType, responseNonce: nonceOf(response) }));
    resolve();
  });
  stream.write(request);
  return promise;
}

function readResponses(stream: ClientHttp2Stream, received: (response: Buffer) => void): void {
  let chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    const [head] = chunks;
    if (head === undefined || head.length < 5 || size < 5 + head.readUInt32BE(1)) return;
    const response = Buffer.concat(chunks).subarray(5);
    chunks = [];
    size = 0;
    received(response);
  });
}

/** Every server here puts the nonce last: a tag, a length, and a number in decimal. */
function nonceOf(response: Buffer): string {
  let start = response.length;
  while (start > 0 && (response[start - 1] ?? 0) >= 0x30 && (response[start - 1] ?? 0) <= 0x39) start -= 1;
  return response.toString('latin1', start);
}

function framed(fields: Parameters<typeof DeltaDiscoveryRequest.fromPartial>[0]): Buffer {
  const message = DeltaDiscoveryRequest.encode(DeltaDiscoveryRequest.fromPartial(fields)).finish();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

process.on('message', () => {
  tell({ kind: 'received', responses });
  responses = 0;
});
process.on('disconnect', () => process.exit());

const start = performance.now();
const together = 50;
for (let opened = 0; opened < Number(nodes); opened += together) {
  await Promise.all(Array.from({ length: Math.min(together, Number(nodes) - opened) }, node));
}
responses = 0;
tell({ kind: 'connected', milliseconds: performance.now() - start, bytes: firstBytes });
