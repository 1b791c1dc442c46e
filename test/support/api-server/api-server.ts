import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { KindName } from '../../../src/resources/model.ts';
import { kinds } from '../../../src/resources/resources.ts';
import { discover } from './discovery.ts';
import { type Fault, type ReceivedRequest, respondWithFault } from './faults.ts';
import { ApiStore, type HistoryEvent, type StoredObject, type WrittenObject } from './store.ts';

/** An open watch. */
export interface OpenWatch {
  readonly kind: KindName;
  readonly namespace: string | undefined;
  readonly query: URLSearchParams;
  /** Sends bytes as they are. */
  send(text: string | Uint8Array): void;
  /** Ends the response in good order. */
  end(): void;
  /** Resets the connection. */
  reset(): void;
}

/** Selects the requests that a fault is for. */
type Match = (asked: ReceivedRequest) => boolean;

interface Planned {
  readonly match: Match;
  readonly fault: Fault;
  times: number;
}

const ROUTE = /^(?<version>\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/(?<namespace>[^/]+))?\/(?<plural>[^/]+)$/;
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/';

/** An API server on loopback with lists, watches and discovery of our kinds, and with faults. */
export class ApiServer {
  readonly store: ApiStore;
  readonly requests: ReceivedRequest[] = [];
  /** The number of connections that were opened. */
  connections = 0;
  /** The bundle version of each CRD by name; without an entry the CRD does not exist. */
  readonly bundles: Map<string, string> = new Map();
  readonly #served = new Set<KindName>(Object.values(kinds).map(({ kind }) => kind));
  readonly #planned: Planned[] = [];
  readonly #hanging: ServerResponse[] = [];
  readonly #watches = new Set<OpenWatch>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((request, response) => this.#answer(request, response));
  #waiting: readonly { readonly condition: () => boolean; readonly resolve: () => void }[] = [];
  #port: number;

  /** @param version of the newest object before there is any; @param port a free one by default */
  constructor({ port = 0, version = 100 }: { readonly port?: number; readonly version?: number } = {}) {
    this.#port = port;
    this.store = new ApiStore(version);
    this.#server.on('connection', (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, after `down` on the same port. */
  async up(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(this.#port, '127.0.0.1', resolve);
    await promise;
    const address = this.#server.address();
    if (address !== null && typeof address === 'object') this.#port = address.port;
  }

  /** Resets all connections, and stops listening. */
  async down(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await promise;
  }

  put(kind: KindName, object: WrittenObject): void {
    this.#tell(kind, this.store.put(kind, object));
  }

  remove(kind: KindName, key: string): void {
    this.#tell(kind, this.store.remove(kind, key));
  }

  bookmark(kind: KindName): void {
    const { apiVersion } = kinds[kind];
    const object = { kind, apiVersion, metadata: { resourceVersion: String(this.store.pass()) } };
    for (const watch of this.watches(kind)) watch.send(line({ type: 'BOOKMARK', object }));
  }

  /** Installs or removes the CRD of the kind; without it all of its paths are 404. */
  serve(kind: KindName, served: boolean): void {
    if (served) this.#served.add(kind);
    else this.#served.delete(kind);
  }

  /** Responds to the next `times` matching requests with the fault. */
  injectFault(match: Match, fault: Fault, times: number = Number.POSITIVE_INFINITY): void {
    this.#planned.push({ match, fault, times });
  }

  /** Ends the responses that hang, with this as the rest of their text. */
  release(rest: string): void {
    for (const response of this.#hanging.splice(0)) response.end(rest);
  }

  /** Removes all faults. */
  clearFaults(): void {
    this.#planned.length = 0;
  }

  watches(kind: KindName): readonly OpenWatch[] {
    return [...this.#watches].filter((watch) => watch.kind === kind);
  }

  requestCount(match: Match): number {
    return this.requests.filter(match).length;
  }

  /** Settles once the condition holds; checks it after each request. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = [...this.#waiting, { condition, resolve }];
    return promise;
  }

  /** Settles once a watch of the kind is open. */
  watchOpened(kind: KindName): Promise<void> {
    return this.until(() => this.watches(kind).length > 0);
  }

  #tell(kind: KindName, event: HistoryEvent): void {
    for (const watch of this.watches(kind)) if (covers(watch.namespace, event.object)) watch.send(line(event));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '/', this.url);
    const route = ROUTE.exec(path)?.groups;
    const kind = Object.values(kinds).find(
      ({ plural, apiVersion }) => route?.['plural'] === plural && route['version']?.endsWith(`/${apiVersion}`),
    )?.kind;
    const verb = query.get('watch') === 'true' ? 'watch' : kind === undefined ? 'get' : 'list';
    const asked: ReceivedRequest = { path, query, verb };
    this.requests.push(asked);
    const planned = this.#planned.find(({ match, times }) => times > 0 && match(asked));
    if (planned !== undefined) {
      planned.times -= 1;
      if (planned.fault.does === 'say' && planned.fault.next === 'hang') this.#hanging.push(response);
      respondWithFault(response, planned.fault);
    } else if (kind === undefined || !this.#served.has(kind)) this.#other(path, response);
    else if (verb === 'watch') this.#watch(kind, route?.['namespace'], query, response);
    else this.#list(kind, route?.['namespace'], query, response);
    this.#look();
  }

  #other(path: string, response: ServerResponse): void {
    const bundle = path.startsWith(CRD) ? this.bundles.get(path.slice(CRD.length)) : undefined;
    const annotations = { 'gateway.networking.k8s.io/bundle-version': bundle };
    const crd =
      bundle === undefined
        ? undefined
        : { kind: 'CustomResourceDefinition', metadata: { name: path.slice(CRD.length), annotations } };
    const found = crd ?? discover(path, this.#served);
    if (found === undefined)
      respondWithFault(response, { does: 'answer', status: 404, message: 'the server could not find it' });
    else json(response, found);
  }

  #list(kind: KindName, namespace: string | undefined, query: URLSearchParams, response: ServerResponse): void {
    const [version, from] = (query.get('continue') ?? `${this.store.version}/0`).split('/').map(Number);
    const all = this.store.list(kind, namespace);
    const start = from ?? 0;
    const limit = Number(query.get('limit') ?? all.length);
    const more = start + limit < all.length ? { continue: `${version}/${start + limit}` } : {};
    const builtIn = kinds[kind].apiVersion === 'v1';
    const items = all.slice(start, start + limit).map(({ kind: itemKind, apiVersion, ...object }) => {
      return builtIn ? object : { kind: itemKind, apiVersion, ...object };
    });
    const metadata = { resourceVersion: String(version), ...more };
    json(response, { kind: `${kind}List`, apiVersion: kinds[kind].apiVersion, metadata, items });
  }

  #watch(kind: KindName, namespace: string | undefined, query: URLSearchParams, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const from = Number(query.get('resourceVersion') ?? 0);
    if (from < this.store.oldest) {
      const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
      response.end(line({ type: 'ERROR', object }));
      return;
    }
    const watch: OpenWatch = {
      kind,
      namespace,
      query,
      send: (text) => void response.write(text),
      end: () => this.#close(watch, () => response.end()),
      reset: () => this.#close(watch, () => response.socket?.resetAndDestroy()),
    };
    this.#watches.add(watch);
    response.on('close', () => this.#close(watch, () => undefined));
    for (const event of this.store.since(kind, from)) if (covers(namespace, event.object)) watch.send(line(event));
  }

  #close(watch: OpenWatch, how: () => void): void {
    this.#watches.delete(watch);
    how();
    this.#look();
  }

  #look(): void {
    const settled = this.#waiting.filter(({ condition }) => condition());
    this.#waiting = this.#waiting.filter((one) => !settled.includes(one));
    for (const { resolve } of settled) resolve();
  }
}

/** A server that listens until the test is finished. */
export async function startApiServer(): Promise<ApiServer> {
  const server = new ApiServer();
  await server.up();
  onTestFinished(() => server.down());
  return server;
}

/** One event as a line of a watch. */
export function line(event: { readonly type: string; readonly object: unknown }): string {
  return `${JSON.stringify({ type: event.type, object: event.object })}\n`;
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

function covers(namespace: string | undefined, { metadata }: StoredObject): boolean {
  return namespace === undefined || metadata.namespace === namespace;
}
