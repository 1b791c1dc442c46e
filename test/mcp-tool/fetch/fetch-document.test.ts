import type { ServerResponse } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { type AddressPolicy, allowPublicAddresses } from '../../../src/mcp-tool/fetch/address-policy.ts';
import { fetchDocument } from '../../../src/mcp-tool/fetch/fetch-document.ts';
import { defaultLimits } from '../../../src/mcp-tool/mcp-tool.ts';
import type { Limits, Resolve } from '../../../src/mcp-tool/model.ts';
import type { SourceDocument } from '../../../src/mcp-tool/source-document.ts';
import { type RecordingServer, startWebServer } from '../support/web-server.ts';

const origins: RecordingServer[] = [];
afterEach(() => Promise.all(origins.splice(0).map((origin) => origin.stop())));
async function serving(
  handle: (path: string, response: ServerResponse) => void,
  host?: string,
  port?: number,
): Promise<RecordingServer> {
  const origin = await startWebServer((request, response) => handle(request.url ?? '', response), host, port);
  origins.push(origin);
  return origin;
}

/** Treats 127.0.0.1 as a public address and the rest of 127.0.0.0/8 as private. */
const addressPolicy: AddressPolicy = (address) => (address === '127.0.0.1' ? undefined : allowPublicAddresses(address));
const names: Readonly<Record<string, readonly string[]>> = {
  'public.example': ['127.0.0.1'],
  'internal.example': ['127.0.0.2'],
  'both.example': ['127.0.0.1', '127.0.0.2'],
  'nowhere.example': [],
};
const resolve: Resolve = async (hostname) =>
  (names[hostname] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

interface Settings {
  readonly limits?: Partial<Limits>;
  readonly resolve?: Resolve;
  readonly signal?: AbortSignal;
}
const fetchFrom = (url: string, settings: Settings = {}): Promise<SourceDocument> =>
  fetchDocument(
    url,
    {
      limits: { ...defaultLimits, ...settings.limits },
      addressPolicy,
      resolve: settings.resolve ?? resolve,
      userAgent: 'test/1',
    },
    settings.signal ?? new AbortController().signal,
  );
const textOf = ({ bytes }: SourceDocument): string => Buffer.from(bytes).toString('utf8');
const redirect = (response: ServerResponse, location: string, status = 302): void => {
  response.writeHead(status, { location }).end('moved');
};

describe('a fetched document', () => {
  it('has the declared type and the extension of its path', async () => {
    const { port } = await serving((_, response) =>
      response.writeHead(200, { 'content-type': 'Text/CSV; charset="latin1"' }).end('a,b'),
    );
    const document = await fetchFrom(`http://public.example:${port}/x/Table.CSV?v=1`);
    expect(document).toMatchObject({ contentType: { essence: 'text/csv', charset: 'latin1' }, extension: '.csv' });
    expect(textOf(document)).toBe('a,b');
  });

  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['identity', (text: string) => Buffer.from(text)],
  ] as const)('may be compressed with %s', async (encoding, compress) => {
    const { port } = await serving((_, response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end(compress('text'.repeat(1000))),
    );
    expect(textOf(await fetchFrom(`http://public.example:${port}/`))).toBe('text'.repeat(1000));
  });

  it.each(['gzip', 'deflate', 'br'])('is rejected if it is not in the declared encoding %s', async (encoding) => {
    const { port } = await serving((_, response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end('this is plain text'),
    );
    await expect(fetchFrom(`http://public.example:${port}/`)).rejects.toThrow('cannot be decompressed');
  });

  it('is rejected if it has two encodings', async () => {
    const { port } = await serving((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip, gzip' }).end(gzipSync(gzipSync('x'))),
    );
    await expect(fetchFrom(`http://public.example:${port}/`)).rejects.toMatchObject({ reason: 'upstream' });
  });

  it('is rejected if the status is not 200', async () => {
    const { port } = await serving((_, response) => response.writeHead(404).end('<h1>Not found</h1>'));
    await expect(fetchFrom(`http://public.example:${port}/`)).rejects.toThrow('answered with status 404');
  });

  it('is rejected if the connection breaks before its end', async () => {
    const { port } = await serving((_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy());
    });
    await expect(fetchFrom(`http://public.example:${port}/`)).rejects.toMatchObject({ reason: 'upstream' });
  });

  it('is rejected if the connection is refused', async () => {
    const { port, stop } = await serving(() => {});
    await stop();
    await expect(fetchFrom(`http://public.example:${port}/`)).rejects.toThrow(
      /^public\.example:\d+ cannot be fetched: .+/,
    );
  });
});

describe('a size limit', () => {
  const limits = { downloadBytes: 1000, unpackedBytes: 5000 };

  it('rejects a larger Content-Length without reading the body', async () => {
    const { port } = await serving((_, response) => {
      response.writeHead(200, { 'content-length': 1001 }).flushHeaders();
    });
    await expect(fetchFrom(`http://public.example:${port}/`, { limits })).rejects.toThrow('larger than 1000 bytes');
  });

  it('rejects an endless body', async () => {
    const closed = Promise.withResolvers<void>();
    const { port } = await serving((_, response) => {
      response.once('close', closed.resolve);
      const more = (): void => {
        while (response.writable && response.write('x'.repeat(100)));
        response.once('drain', more);
      };
      more();
    });
    await expect(fetchFrom(`http://public.example:${port}/`, { limits })).rejects.toThrow('larger than 1000 bytes');
    await closed.promise;
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const)('rejects a %s bomb', async (encoding, compress) => {
    const bomb = compress('x'.repeat(100_000));
    expect(bomb.length).toBeLessThan(limits.downloadBytes);
    const { port } = await serving((_, response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end(bomb),
    );
    await expect(fetchFrom(`http://public.example:${port}/`, { limits })).rejects.toThrow(
      'The decompressed document is larger than 4.9 KiB.',
    );
  });

  it('accepts a body of exactly the limit', async () => {
    const { port } = await serving((_, response) => response.end('x'.repeat(1000)));
    expect((await fetchFrom(`http://public.example:${port}/`, { limits })).bytes.length).toBe(1000);
  });
});

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])('with status %d is followed', async (status) => {
    const { port, requestedPaths } = await serving((path, response) =>
      path === '/a' ? redirect(response, 'b.csv', status) : void response.end('here'),
    );
    const document = await fetchFrom(`http://public.example:${port}/a`);
    expect([textOf(document), document.extension, requestedPaths]).toEqual(['here', '.csv', ['/a', '/b.csv']]);
  });

  it('is followed five times at most', async () => {
    const { port, requestedPaths } = await serving((path, response) => redirect(response, `${path}x`));
    await expect(fetchFrom(`http://public.example:${port}/`)).rejects.toThrow('redirects more than 5 times');
    expect(requestedPaths).toHaveLength(6);
  });

  it('to a name with a private address is rejected without a request there', async () => {
    const { port } = await serving((_, response) => redirect(response, `http://internal.example:${port}/secret`));
    const internal = await serving((_, response) => response.end('secret'), '127.0.0.2', port);
    await expect(fetchFrom(`http://public.example:${port}/`)).rejects.toMatchObject({ reason: 'address' });
    expect(internal.requestedPaths).toEqual([]);
  });

  it.each([
    ['a private address', 'http://[::ffff:10.0.0.1]/', 'address'],
    ['a file', 'file:///etc/passwd', 'uri'],
    ['data', 'data:,x', 'uri'],
    ['a URL with credentials', 'http://user:secret@public.example/', 'uri'],
    ['nowhere', 'http://', 'uri'],
  ])('to %s is rejected', async (_, location, reason) => {
    const { port } = await serving((_, response) => redirect(response, location));
    await expect(fetchFrom(`http://public.example:${port}/`)).rejects.toMatchObject({ reason });
  });
});

describe('a host name', () => {
  it('with a private address is rejected without a request there', async () => {
    const internal = await serving((_, response) => response.end('secret'), '127.0.0.2');
    for (const name of ['internal.example', 'both.example']) {
      await expect(fetchFrom(`http://${name}:${internal.port}/`)).rejects.toThrow(
        `${name} is at an address that is not public`,
      );
    }
    await expect(fetchFrom(`https://internal.example:${internal.port}/`)).rejects.toMatchObject({ reason: 'address' });
    expect(internal.requestedPaths).toEqual([]);
  });

  it('is connected to at the checked address, even if it resolves differently later', async () => {
    const answers = ['127.0.0.1', '127.0.0.2'];
    let questions = 0;
    const rebinding: Resolve = async () => {
      const address = answers[Math.min(questions, 1)] ?? '';
      questions += 1;
      return [{ address, family: 4 }];
    };
    const { port } = await serving((path, response) =>
      path === '/' ? redirect(response, '/again') : void response.end('public'),
    );
    const internal = await serving((_, response) => response.end('secret'), '127.0.0.2', port);
    const settings = { resolve: rebinding };
    expect(textOf(await fetchFrom(`http://rebound.example:${port}/direct`, settings))).toBe('public');
    expect(questions).toBe(1);
    await expect(fetchFrom(`http://rebound.example:${port}/`, settings)).rejects.toMatchObject({ reason: 'address' });
    expect(internal.requestedPaths).toEqual([]);
  });

  it('is connected to at one of the first addresses of thousands', async () => {
    const { port } = await serving((_, response) => response.end('public'));
    const many: Resolve = async () =>
      [...Array.from({ length: 4_000 }, () => '127.0.0.1'), '127.0.0.2'].map((address) => ({ address, family: 4 }));
    expect(textOf(await fetchFrom(`http://many.example:${port}/`, { resolve: many }))).toBe('public');
  });

  it('without an address is rejected', async () => {
    await expect(fetchFrom('http://nowhere.example/')).rejects.toThrow('nowhere.example has no address');
  });

  it('that cannot be resolved is rejected', async () => {
    const failing: Resolve = () => Promise.reject(new Error('getaddrinfo ENOTFOUND'));
    await expect(fetchFrom('http://x.example/', { resolve: failing })).rejects.toMatchObject({ reason: 'upstream' });
  });
});

describe('an aborted fetch', () => {
  it.each([
    ['before the response', '/silent'],
    ['in the middle of the body', '/slow'],
  ])('%s rejects with the reason and closes its connection', async (_, path) => {
    const origin = await serving((requested, response) => void (requested === '/slow' && response.write('half')));
    const giveUp = new AbortController();
    const reason = new Error('enough');
    const fetched = fetchFrom(`http://public.example:${origin.port}${path}`, { signal: giveUp.signal });
    const request = await origin.firstRequest(path);
    const closed = new Promise((resolve) => request.socket.once('close', resolve));
    giveUp.abort(reason);
    await expect(fetched).rejects.toBe(reason);
    await closed;
  });
});
