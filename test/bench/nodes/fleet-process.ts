import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { AggregatedDiscoveryServiceService as ads } from '../../../src/gen/envoy/service/discovery/v3/ads.ts';
import {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
} from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { targetType } from '../../support/worlds/hand-made-world.ts';
import type { FromFleet, Naming, ToFleet } from './messages.ts';

/**
 * A process of its own with many nodes in it, each with its own connection: `fleet.ts <port> <nodes> <naming>`. They
 * ask for all targets and acknowledge whatever comes, with as little work as that takes.
 */
const [port = '', nodes = '1', naming = 'one-gateway'] = process.argv.slice(2);
const tell = (message: FromFleet): void => void process.send?.(message);
/**
 * How many connections a server has yet to take at any moment. A queue of Node holds 511; beyond, the system of the
 * node tries again after a second, and that second would be all that is seen.
 */
const backlog = 400;
let sessions: ClientHttp2Session[] = [];
let responses = 0;
let firstBytes = 0;
/** What a node was told first, for those that come back later. */
let learned: Buffer = Buffer.alloc(0);

function requestOf(node: number, versions: Readonly<Record<string, string>>): Buffer {
  const gateway = (naming as Naming) === 'one-gateway' ? 'gw' : `gw-${node}`;
  return framed({
    typeUrl: targetType,
    node: { id: `node-${node}`, metadata: { role: `mcp~default~${gateway}` } },
    initialResourceVersions: versions,
  });
}

interface Node {
  /** The server has taken the connection. */
  readonly accepted: Promise<unknown>;
  /** The first answer came and is acknowledged. */
  readonly answered: Promise<void>;
}

function startNode(request: Buffer): Node {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 1 << 22 } });
  sessions.push(session);
  session.on('connect', () => session.setLocalWindowSize(1 << 22));
  session.on('error', reject);
  const stream = session.request({
    ':method': 'POST',
    ':path': ads.deltaAggregatedResources.path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', reject);
  let answered = false;
  readResponses(stream, (chunks, bytes) => {
    stream.write(framed({ typeUrl: targetType, responseNonce: nonceOf(chunks) }));
    if (answered) {
      responses += 1;
      return;
    }
    answered = true;
    firstBytes = Math.max(firstBytes, bytes);
    if (learned.length === 0) learned = Buffer.concat(chunks).subarray(5);
    resolve();
  });
  stream.write(request);
  return { accepted: once(session, 'remoteSettings'), answered: promise };
}

/** The chunks of one response and its size without the frame. Nobody is told two at a time here. */
function readResponses(stream: ClientHttp2Stream, received: (chunks: readonly Buffer[], bytes: number) => void): void {
  let chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size < 5) return;
    const head = chunks[0]?.length ?? 0;
    if (head < 5) chunks = [Buffer.concat(chunks)];
    const bytes = chunks[0]?.readUInt32BE(1) ?? 0;
    if (size < 5 + bytes) return;
    const response = chunks;
    chunks = [];
    size = 0;
    received(response, bytes);
  });
}

/** Every server here puts the nonce last: a tag, a length, and a number in decimal. */
function nonceOf(chunks: readonly Buffer[]): string {
  const last = chunks.at(-1) ?? Buffer.alloc(0);
  // A nonce that arrives in two pieces is rare enough to pay for it then.
  const end = last.length < 32 && chunks.length > 1 ? Buffer.concat(chunks.slice(-2)) : last;
  let start = end.length;
  while (start > 0 && (end[start - 1] ?? 0) >= 0x30 && (end[start - 1] ?? 0) <= 0x39) start -= 1;
  return end.toString('latin1', start);
}

function framed(fields: Parameters<typeof DeltaDiscoveryRequest.fromPartial>[0]): Buffer {
  const message = DeltaDiscoveryRequest.encode(DeltaDiscoveryRequest.fromPartial(fields)).finish();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

async function connectAll(versions: Readonly<Record<string, string>>): Promise<void> {
  // Of one Gateway, the long part of what they say is the same: encoding it a thousand times is not what is measured.
  const one = requestOf(0, versions);
  const requests = Array.from({ length: Number(nodes) }, (_, node) =>
    (naming as Naming) === 'one-gateway' ? one : requestOf(node, versions),
  );
  firstBytes = 0;
  const start = performance.now();
  const answers: Promise<void>[] = [];
  for (let opened = 0; opened < requests.length; opened += backlog) {
    const wave = requests.slice(opened, opened + backlog).map(startNode);
    answers.push(...wave.map(({ answered }) => answered));
    await Promise.all(wave.map(({ accepted }) => accepted));
  }
  await Promise.all(answers);
  tell({ kind: 'connected', milliseconds: performance.now() - start, bytes: firstBytes });
}

function versionsOf(response: Buffer): Readonly<Record<string, string>> {
  const { resources } = DeltaDiscoveryResponse.decode(response);
  return Object.fromEntries(resources.map(({ name, version }) => [name, version]));
}

async function disconnectAll(): Promise<void> {
  const closing = sessions;
  sessions = [];
  await Promise.all(
    closing.map(
      (session) =>
        new Promise<void>((resolve) => {
          session.on('close', resolve);
          session.destroy();
        }),
    ),
  );
  tell({ kind: 'disconnected' });
}

process.on('message', async (message: ToFleet) => {
  switch (message.kind) {
    case 'connect':
      return connectAll(message.knowing ? versionsOf(learned) : {});
    case 'disconnect':
      return disconnectAll();
    case 'count':
      tell({ kind: 'received', responses });
      responses = 0;
  }
});
process.on('disconnect', () => process.exit());
tell({ kind: 'ready' });
