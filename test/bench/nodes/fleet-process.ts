import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type SecureClientSessionOptions } from 'node:http2';
import { createSecureContext } from 'node:tls';
import { AggregatedDiscoveryServiceService as ads } from '../../../src/gen/envoy/service/discovery/v3/ads.ts';
import {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
} from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { grpcFrame } from '../../support/nodes/raw-stream.ts';
import type { FromFleet, GatewayAssignment, ToFleet } from './messages.ts';

/**
 * Entry file of a process with many nodes, each on a connection of its own: `fleet-process.ts <port> <nodes>
 * <assignment> <type URL> <authority> <another type URL>`. With a file of an authority they connect over TLS. The nodes
 * subscribe to all resources of the type, before it to those of the other one where it is named, and acknowledge every
 * response, with the least work possible.
 */
const [port = '', nodes = '1', assignment = 'one-gateway', typeUrl = '', authority = '', firstType = ''] =
  process.argv.slice(2);
/** One context for all nodes: what they do for themselves is not measured. */
const secure: SecureClientSessionOptions =
  authority === '' ? {} : { secureContext: createSecureContext({ ca: readFileSync(authority) }) };
const send = (message: FromFleet): void => void process.send?.(message);
/**
 * Limit of connections that the server has not accepted yet. Node's accept queue holds 511; beyond that the client's
 * kernel retries after a second, which would dominate the result.
 */
const maxPending = 400;
let sessions: ClientHttp2Session[] = [];
let responses = 0;
let firstBytes = 0;
/** The first response to a node, for the versions that reconnecting nodes report. */
let firstResponse: Buffer = Buffer.alloc(0);

function requestOf(node: number, versions: Readonly<Record<string, string>>): Buffer {
  return framed({ typeUrl, node: nodeOf(node), initialResourceVersions: versions });
}

function nodeOf(node: number): { readonly id: string; readonly metadata: Readonly<Record<string, string>> } {
  const gateway = (assignment as GatewayAssignment) === 'one-gateway' ? 'gw' : `gw-${node}`;
  // The names and the address make the Workload with which agentgateway finds itself.
  const self = { NAME: 'p', NAMESPACE: 'default', INSTANCE_IPS: '10.0.0.9' };
  return { id: `node-${node}`, metadata: { role: `mcp~default~${gateway}`, ...(firstType !== '' && self) } };
}

interface Node {
  /** Resolves when the server has accepted the connection. */
  readonly accepted: Promise<unknown>;
  /** Resolves when the first response is acknowledged. */
  readonly responded: Promise<void>;
}

function startNode(request: Buffer, token: string | undefined): Node {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const scheme = authority === '' ? 'http' : 'https';
  const session = connect(`${scheme}://127.0.0.1:${port}`, { ...secure, settings: { initialWindowSize: 1 << 22 } });
  sessions.push(session);
  session.on('connect', () => session.setLocalWindowSize(1 << 22));
  session.on('error', reject);
  const stream = session.request({
    ':method': 'POST',
    ':path': ads.deltaAggregatedResources.path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  });
  stream.on('error', reject);
  let responded = false;
  let asksFirst = firstType !== '';
  readResponses(stream, (chunks, bytes) => {
    if (asksFirst) {
      asksFirst = false;
      stream.write(framed({ typeUrl: firstType, responseNonce: nonceOf(chunks) }));
      stream.write(request);
      return;
    }
    stream.write(framed({ typeUrl, responseNonce: nonceOf(chunks) }));
    if (responded) {
      responses += 1;
      return;
    }
    responded = true;
    firstBytes = Math.max(firstBytes, bytes);
    if (firstResponse.length === 0) firstResponse = Buffer.concat(chunks).subarray(5);
    resolve();
  });
  stream.write(asksFirst ? framed({ typeUrl: firstType, node: nodeOf(0) }) : request);
  return { accepted: once(session, 'remoteSettings'), responded: promise };
}

/** Splits the stream into responses: their chunks, and their size without the frame header. Expects one response at a time. */
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

/** Reads the nonce, a decimal number, from the end of a response: all servers of the bench write that field last. */
function nonceOf(chunks: readonly Buffer[]): string {
  const last = chunks.at(-1) ?? Buffer.alloc(0);
  // A nonce may be split between chunks, which is rare.
  const end = last.length < 32 && chunks.length > 1 ? Buffer.concat(chunks.slice(-2)) : last;
  let start = end.length;
  while (start > 0 && (end[start - 1] ?? 0) >= 0x30 && (end[start - 1] ?? 0) <= 0x39) start -= 1;
  return end.toString('latin1', start);
}

function framed(fields: Parameters<typeof DeltaDiscoveryRequest.fromPartial>[0]): Buffer {
  return grpcFrame(DeltaDiscoveryRequest.encode(DeltaDiscoveryRequest.fromPartial(fields)).finish());
}

async function connectAll(versions: Readonly<Record<string, string>>, tokens: readonly string[]): Promise<void> {
  // Nodes of one Gateway share one encoded request: encoding it per node would be measured as well.
  const one = requestOf(0, versions);
  const requests = Array.from({ length: Number(nodes) }, (_, node) =>
    (assignment as GatewayAssignment) === 'one-gateway' ? one : requestOf(node, versions),
  );
  firstBytes = 0;
  const start = performance.now();
  const firstResponses: Promise<void>[] = [];
  for (let opened = 0; opened < requests.length; opened += maxPending) {
    const wave = requests
      .slice(opened, opened + maxPending)
      .map((request, index) => startNode(request, tokens[opened + index]));
    firstResponses.push(...wave.map(({ responded }) => responded));
    await Promise.all(wave.map(({ accepted }) => accepted));
  }
  await Promise.all(firstResponses);
  send({ kind: 'connected', milliseconds: performance.now() - start, bytes: firstBytes });
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
  send({ kind: 'disconnected' });
}

process.on('message', async (message: ToFleet) => {
  switch (message.kind) {
    case 'connect':
      return connectAll(message.reporting ? versionsOf(firstResponse) : {}, message.tokens ?? []);
    case 'disconnect':
      return disconnectAll();
    case 'count-responses':
      send({ kind: 'received', responses });
      responses = 0;
  }
});
process.on('disconnect', () => process.exit());
send({ kind: 'ready' });
