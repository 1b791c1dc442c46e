import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ApiAnswer, ApiRequest } from '../../../src/kube/model.ts';
import type { AskConnection } from '../../../src/status/api/object-request.ts';

/** A JSON object of an API. */
type ApiObject = Readonly<Record<string, unknown>>;

/** One received request. */
interface ApiCall {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly contentType: string | undefined;
  readonly body: ApiObject;
}

/** A response instead of applying the request; `hang`: none. */
type Misbehaviour =
  | { readonly status: number; readonly text: string; readonly headers?: Readonly<Record<string, string>> }
  | 'hang';

/** A fake API server for Leases, Events and statuses: resource versions, merge patches, strict times. */
export interface StatusApiServer extends AsyncDisposable {
  readonly url: string;
  readonly connection: AskConnection;
  /** By path, without `/status`. */
  object(path: string): ApiObject | undefined;
  /** Writes an object as another client. */
  put(path: string, object: ApiObject): void;
  readonly calls: readonly ApiCall[];
  misbehave: ((call: ApiCall) => Misbehaviour | undefined) | undefined;
  /** Receives every change. */
  changed: (path: string, object: ApiObject) => void;
  /** Settles once the condition holds; checks it after each request. */
  until(condition: () => boolean): Promise<void>;
}

type Answer = readonly [status: number, body: unknown];

/** The storage of the server, and its handling of a request. */
function createStore(changed: (path: string, object: ApiObject) => void) {
  const stored = new Map<string, ApiObject>();
  let version = 0;
  const put = (path: string, object: ApiObject): ApiObject => {
    version += 1;
    const before = objectIn(stored.get(path)?.['metadata']);
    const metadata = { ...objectIn(object['metadata']), uid: before['uid'] ?? `uid-${version}` };
    const after = { ...object, metadata: { ...metadata, resourceVersion: String(version) } };
    stored.set(path, after);
    changed(path, after);
    return after;
  };
  const carryOut = ({ method, path, contentType, body }: ApiCall): Answer => {
    const metadata = objectIn(body['metadata']);
    const badTime = unfitTime(body);
    if (badTime !== undefined) return [400, failure(400, `${badTime} is no MicroTime`)];
    if (method === 'POST') {
      const place = `${path}/${metadata['name']}`;
      return stored.has(place) ? [409, failure(409, `${place} exists already`)] : [201, put(place, body)];
    }
    const place = path.replace(/\/status$/, '');
    const before = stored.get(place);
    if (before === undefined) return [404, failure(404, `${place} not found`)];
    const current = objectIn(before['metadata'])['resourceVersion'];
    if ((metadata['resourceVersion'] ?? current) !== current) {
      return [409, failure(409, 'the object has been modified')];
    }
    if (method === 'GET') return [200, before];
    if (method === 'PUT') return [200, put(place, body)];
    if (contentType !== 'application/merge-patch+json') return [415, failure(415, `${contentType} is no patch`)];
    return [200, put(place, objectIn(mergePatch(before, body)))];
  };
  return { get: (path: string) => stored.get(path), put, carryOut };
}

export async function startStatusApiServer(): Promise<StatusApiServer> {
  const calls: ApiCall[] = [];
  const store = createStore((path, object) => api.changed(path, object));
  let waiting: readonly { readonly condition: () => boolean; readonly resolve: () => void }[] = [];

  const server = createServer((request, response) => {
    void readCall(request).then((call) => {
      calls.push(call);
      const misbehaviour = api.misbehave?.(call);
      if (misbehaviour !== 'hang') answer(response, misbehaviour, () => store.carryOut(call));
      const settled = waiting.filter(({ condition }) => condition());
      waiting = waiting.filter((one) => !settled.includes(one));
      for (const { resolve } of settled) resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;

  const api: StatusApiServer = {
    url,
    // Nobody else has requests here.
    connection: { ask: (request) => ask(url, request), onSuccess: () => () => {} },
    object: store.get,
    put: (path, object) => void store.put(path, object),
    calls,
    misbehave: undefined,
    changed: () => {},
    until: (condition) => {
      if (condition()) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting = [...waiting, { condition, resolve }];
      return promise;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return api;
}

async function ask(url: string, { method, path, headers, body, signal }: ApiRequest): Promise<ApiAnswer> {
  const sent = { method, headers: headers ?? {}, body: body ?? null, signal: signal ?? null };
  const answer = await fetch(url + path, { ...sent, redirect: 'manual' });
  return {
    status: answer.status,
    header: (name) => answer.headers.get(name) ?? undefined,
    body: await answer.text(),
  };
}

function answer(
  response: ServerResponse,
  misbehaviour: Exclude<Misbehaviour, 'hang'> | undefined,
  carryOut: () => Answer,
): void {
  if (misbehaviour !== undefined) {
    response.writeHead(misbehaviour.status, { 'content-type': 'text/html', ...misbehaviour.headers });
    response.end(misbehaviour.text);
    return;
  }
  const [status, body] = carryOut();
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function readCall(request: IncomingMessage): Promise<ApiCall> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  const { method = '', url = '', headers } = request;
  return {
    method,
    path: url.replace(/\?.*$/, ''),
    query: url.replace(/^[^?]*/, ''),
    contentType: headers['content-type'],
    body: text === '' ? {} : objectIn(JSON.parse(text)),
  };
}

function failure(code: number, message: string): ApiObject {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code };
}

const microTimes = ['renewTime', 'acquireTime', 'eventTime', 'lastObservedTime'];

/** API servers reject a MicroTime without exactly six fractional digits. */
function unfitTime(object: ApiObject): string | undefined {
  for (const [field, value] of Object.entries(object)) {
    if (microTimes.includes(field) && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(String(value))) return field;
    const below = isObject(value) ? unfitTime(value) : undefined;
    if (below !== undefined) return below;
  }
  return undefined;
}

/** RFC 7386. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = { ...objectIn(target) };
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete merged[field];
    else merged[field] = mergePatch(merged[field], value);
  }
  return merged;
}

function isObject(value: unknown): value is ApiObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectIn(value: unknown): ApiObject {
  return isObject(value) ? value : {};
}
