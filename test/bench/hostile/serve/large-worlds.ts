import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { parseAllDocuments } from 'yaml';
import { mcpClass, mcpGateway, mcpService } from '../../../support/worlds/manifests.ts';
import { removeManifest, writeManifest } from '../programs/manifest-folder.ts';
import type { Attack, StopAttack } from '../programs/model.ts';

/** Objects of which each is within its bounds, and all together are more than a heap holds. The amount is their number. */
export const largeWorldAttacks: readonly Attack[] = [
  ofCluster(
    'policies of 1.4 MB by the hundred, in a cluster',
    policies((index) => policy(index, 64, 'v')),
  ),
  ofCluster(
    'policies with ever new values by the hundred, in a cluster',
    policies((index) => policy(index, 30, `v${index}-`)),
  ),
  ofCluster('small Services by the hundred thousand in one namespace', services(130_000, 0)),
  ofCluster('Services of 20 KB by the thousand in one namespace', services(8_000, 20_000)),
  ofFolder('policies of 1.4 MB by the hundred, in a folder', (index) => policy(index, 64, 'v')),
  ofFolder('policies with ever new values by the hundred, in a folder', (index) => policy(index, 30, `v${index}-`)),
];

/** Objects of one kind that an API server has beside the honest ones. */
interface Flood {
  /** The kind, and how it is spelt in the path of its list. */
  readonly kind: 'MCPAuthPolicy' | 'Service';
  readonly plural: string;
  readonly full: number;
  readonly make: (index: number) => object;
}

function policies(make: (index: number) => object): Flood {
  return { kind: 'MCPAuthPolicy', plural: 'mcpauthpolicies', full: 170, make };
}

/** More than are kept, of one namespace. @param padding of each, in bytes */
function services(full: number, padding: number): Flood {
  const spec = { clusterIP: '10.0.0.1', ports: [{ port: 80, appProtocol: 'kgateway.dev/mcp' }] };
  const annotations = { padding: 'x'.repeat(padding) };
  const make = (index: number): object => {
    const metadata = { name: `s${index}`, namespace: 'crowd', uid: `u${index}`, resourceVersion: '7', annotations };
    return { apiVersion: 'v1', kind: 'Service', metadata, spec };
  };
  return { kind: 'Service', plural: 'services', full, make };
}

/** A policy with as many rules as its CRD allows. @param matches of each rule */
function policy(index: number, matches: number, value: string): object {
  const rules = Array.from({ length: 256 }, (_, rule) => ({
    matches: Array.from({ length: matches }, (__, match) => ({
      type: 'JWT',
      jwt: { claim: 'sub', value: `${value}${rule}-${match}-${'x'.repeat(matches < 64 ? 40 : 8)}` },
    })),
    resource: { kind: 'tool', name: `default/honest:tool-${rule}` },
  }));
  return {
    apiVersion: 'gateway.kgateway.dev/v1alpha1',
    kind: 'MCPAuthPolicy',
    metadata: { name: `p${index}`, namespace: 'default', uid: `u${index}`, resourceVersion: '7' },
    spec: { targetRefs: [{ name: 'gw' }], rules },
  };
}

function ofFolder(name: string, make: (index: number) => object): Attack {
  return {
    name,
    row: 12,
    program: 'serve',
    amount: { full: 170, short: 1 },
    seconds: 40,
    // Each file is well-formed, and how many are parsed until there is too much depends on the machine.
    trace: { metric: 'gatehouse_source_parses_total', line: undefined },
    async start({ folder }, count): Promise<StopAttack> {
      for (let index = 0; index < count; index += 1) {
        writeManifest(folder, `p${index}.json`, JSON.stringify(make(index)));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return () => {
        for (let index = 0; index < count; index += 1) removeManifest(folder, `p${index}.json`);
        return 0;
      };
    },
  };
}

function ofCluster(name: string, flood: Flood): Attack {
  return {
    name,
    row: 15,
    program: 'serve',
    amount: { full: flood.full, short: 1 },
    seconds: 30,
    trace: {
      metric: 'gatehouse_source_ignored_objects',
      labels: { kind: flood.kind },
      line: undefined,
      only: 'bench',
    },
    world: { input: 'cluster' },
    async start({ apiServer: port }, count): Promise<StopAttack> {
      const { promise: listed, resolve } = Promise.withResolvers<void>();
      const known = new Set<string>();
      const watches: ServerResponse[] = [];
      const server = createServer((request, response) => {
        answer(request, response, known, count, flood);
        if (request.url?.includes(`${flood.plural}?watch=`) === true) watches.push(response);
        if (known.has(flood.plural)) response.on('close', resolve);
      });
      await new Promise<void>((listening, reject) => {
        server.once('error', reject).listen(port, '127.0.0.1', listening);
      });
      await Promise.race([listed, new Promise((late) => setTimeout(late, 30_000))]);
      return async () => {
        // What is known of an API server that is away stays: the policies go first.
        await Promise.all(watches.map((watch) => deleteAll(watch, count, flood.make)));
        server.close();
        server.closeAllConnections();
        return 0;
      };
    },
  };
}

/** Sends the deletion of each object, and resolves when that is on its way, or the watch has ended. */
function deleteAll(watch: ServerResponse, count: number, make: (index: number) => object): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  watch.once('close', resolve);
  for (let index = 0; index < count; index += 1) {
    const { spec: _, ...object } = make(index) as { readonly spec: object };
    watch.write(`${JSON.stringify({ type: 'DELETED', object })}\n`);
  }
  watch.end(resolve);
  return promise;
}

/** The objects of other kinds, by the end of the path of their list. */
const others: Readonly<Record<string, readonly object[]>> = {
  gatewayclasses: objectsIn(mcpClass),
  gateways: objectsIn(mcpGateway('default/gw')),
  services: objectsIn(mcpService('default/honest')),
};

function objectsIn(text: string): readonly object[] {
  const objects: readonly { readonly metadata: object }[] = parseAllDocuments(text).map((document) => document.toJS());
  return objects.map((object) => ({ ...object, metadata: { ...object.metadata, uid: 'u', resourceVersion: '7' } }));
}

/** @param known the kinds that were listed; a watch of another one is of a history that the server does not have */
function answer(
  request: IncomingMessage,
  response: ServerResponse,
  known: Set<string>,
  count: number,
  flood: Flood,
): void {
  request.resume();
  response.on('error', () => {});
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://api');
  if (request.method !== 'GET' || pathname.includes('leases') || pathname.includes('customresourcedefinitions')) {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
    return;
  }
  const plural = pathname.slice(pathname.lastIndexOf('/') + 1);
  if (searchParams.has('watch') && !known.has(plural)) {
    response.writeHead(410, { 'content-type': 'application/json' });
    response.end('{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410}');
    return;
  }
  known.add(plural);
  response.writeHead(200, { 'content-type': 'application/json' });
  if (searchParams.has('watch')) {
    response.flushHeaders();
    return;
  }
  const items = function* (): Generator<string> {
    yield '{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":[';
    const honest = others[plural] ?? [];
    const objects = plural === flood.plural ? count : 0;
    for (let index = 0; index < objects + honest.length; index += 1) {
      const object = index < objects ? flood.make(index) : honest[index - objects];
      yield `${index === 0 ? '' : ','}${JSON.stringify(object)}`;
    }
    yield ']}';
  };
  Readable.from(items()).pipe(response);
}
