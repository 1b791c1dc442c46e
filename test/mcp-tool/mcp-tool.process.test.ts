import { gzipSync } from 'node:zlib';
import { Client as ModernClient, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createManualClock, type ManualClock } from '../support/edges/manual-clock.ts';
import { conversionProcesses } from './support/conversion-processes.ts';
import { pdfBomb, pdfDocument } from './support/pdf-document.ts';
import { callTool, type RunningTool, runTool } from './support/running-tool.ts';
import { type RecordingServer, startWebServer } from './support/web-server.ts';
import { heading, wordDocument } from './support/word-document.ts';

const { execPath } = process;
const started: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  process.execPath = execPath;
  for (const each of started.splice(0)) await each.stop();
});
async function run(...args: Parameters<typeof runTool>): Promise<RunningTool> {
  const tool = await runTool(...args);
  started.push(tool);
  return tool;
}
async function origin(...args: Parameters<typeof startWebServer>): Promise<RecordingServer> {
  const server = await startWebServer(...args);
  started.push(server);
  return server;
}
/** The HTML parser takes quadratic time for elements that are not closed. */
const endless = `data:text/html,${'<div>'.repeat(100_000)}`;
/** Waits until the memory of a process is about to be measured: it runs. */
const memoryCheck = (clock: ManualClock): Promise<boolean> => vi.waitUntil(() => clock.waiting().includes(50), 30_000);
const inBase64 = (bytes: Buffer): string => `data:;base64,${bytes.toString('base64')}`;

describe.each(['/mcp', '/sse'] as const)('a client of the official SDK at %s', (path) => {
  it('finds the tool exactly as markitdown-mcp lists it', async () => {
    const client = await (await run()).connect(path);
    expect((await client.listTools()).tools).toEqual([
      {
        name: 'convert_to_markdown',
        description: 'Convert a resource described by an http:, https:, file: or data: URI to markdown',
        inputSchema: {
          type: 'object',
          title: 'convert_to_markdownArguments',
          properties: { uri: { title: 'Uri', type: 'string' } },
          required: ['uri'],
        },
      },
    ]);
    expect(client.getServerVersion()).toMatchObject({ name: 'gatehouse-mcp-tool', version: '1.2.3' });
  });

  it('gets a document as one text item', async () => {
    const client = await (await run()).connect(path);
    expect(await callTool(client, 'data:text/html,<h1>Hello</h1>')).toEqual({ text: '# Hello', failed: false });
  });

  it('gets several documents concurrently', async () => {
    const client = await (await run()).connect(path);
    const uris = ['data:,one', inBase64(wordDocument(heading('two'))), inBase64(pdfDocument([[['three', 12, 700]]]))];
    const answers = await Promise.all(uris.map((uri) => callTool(client, uri)));
    expect(answers.map(({ text }) => text)).toEqual(['one', '# two', 'three']);
  });

  it('gets an error result for a bad call, and can call again', async () => {
    const client = await (await run()).connect(path);
    expect(await callTool(client, 'file:///etc/passwd')).toEqual({
      text: 'file: URIs are not served: this server reads no files of its machine.',
      failed: true,
    });
    expect(await callTool(client, 5)).toMatchObject({ failed: true, text: expect.stringContaining('"uri", a string') });
    await expect(client.callTool({ name: 'other', arguments: {} })).rejects.toThrow('Unknown tool: other');
    expect(await callTool(client, 'data:,fine')).toEqual({ text: 'fine', failed: false });
  });
});

describe('a client of the newest revision', () => {
  it('calls the tool without a handshake', async () => {
    const { url } = await run();
    const client = new ModernClient(
      { name: 'test', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`)));
    const result = await client.callTool({ name: 'convert_to_markdown', arguments: { uri: 'data:,hi' } });
    expect(result.content).toEqual([{ type: 'text', text: 'hi' }]);
    await client.close();
  });
});

describe('a URI', () => {
  it.each([
    ['ftp://example.com/', 'ftp: URIs are not served'],
    ['/etc/passwd', 'This is no URI'],
    ['', 'This is no URI'],
    ['FILE:///etc/passwd', 'file: URIs are not served'],
    ['data:text/plain;base64', 'Malformed data: URI'],
    ['http://user:secret@example.com/', 'a user name or a password'],
    ['data:image/png;base64,aGk=', 'There is no converter for documents of type image/png'],
  ])('%s is rejected', async (uri, message) => {
    const answer = await (await run()).convert(uri);
    expect(answer).toMatchObject({ failed: true, text: expect.stringContaining(message) });
  });

  it('is never logged, because it may contain a secret', async () => {
    const tool = await run();
    await tool.convert('data:,hush');
    await tool.convert('http://user:hush@example.com/hush');
    await tool.convert('nonsense:hush');
    expect(tool.log.lines.filter(({ level }) => level === 'info').map(({ message }) => message)).toEqual([
      'listening',
      'converted',
      'refused',
      'refused',
    ]);
    expect(tool.log.text()).not.toContain('hush');
  });
});

describe('a document on the web', () => {
  it('is fetched and converted', async () => {
    const { port } = await origin((_, response) =>
      response
        .writeHead(200, { 'content-type': 'text/html', 'content-encoding': 'gzip' })
        .end(gzipSync('<h2>Page</h2>')),
    );
    expect(await (await run()).convert(`http://127.0.0.1:${port}/`)).toEqual({ text: '## Page', failed: false });
  });

  it('is rejected at private addresses in every notation', async () => {
    const { port, requestedPaths } = await origin((_, response) => response.end('secret'));
    const resolve = async (): Promise<{ address: string; family: number }[]> => [{ address: '127.0.0.1', family: 4 }];
    const tool = await run({ allowPrivateAddresses: false }, { resolve });
    for (const host of ['127.0.0.1', 'localhost', '127.1', '[::ffff:127.0.0.1]', 'innocent.example']) {
      expect(await tool.convert(`http://${host}:${port}/`)).toMatchObject({
        failed: true,
        text: expect.stringContaining('only public hosts are fetched'),
      });
    }
    expect(requestedPaths).toEqual([]);
  });
});

describe('the time limit', () => {
  it('ends a call whose web server never responds', async () => {
    const clock = createManualClock();
    const { port, firstRequest } = await origin(() => {});
    const tool = await run({ limits: { timeoutMilliseconds: 5_000 } }, { clock });
    const answer = tool.convert(`http://127.0.0.1:${port}/never`);
    await firstRequest('/never');
    clock.advance(5_000);
    expect(await answer).toEqual({ text: 'The document was not converted within 5 s.', failed: true });
  });

  it('ends a call whose host name never resolves', async () => {
    const clock = createManualClock();
    const resolving = Promise.withResolvers<void>();
    const resolve = (): Promise<never> => {
      resolving.resolve();
      return new Promise(() => {});
    };
    const tool = await run({}, { clock, resolve });
    const answer = tool.convert('http://silent.example/');
    await resolving.promise;
    clock.advance(30_000);
    expect(await answer).toMatchObject({ failed: true, text: expect.stringContaining('within 30 s') });
  });

  it('terminates an endless conversion', async () => {
    const clock = createManualClock();
    const tool = await run({}, { clock });
    const answer = tool.convert(endless);
    await memoryCheck(clock);
    clock.advance(30_000);
    expect(await answer).toMatchObject({ failed: true, text: expect.stringContaining('within 30 s') });
    expect(conversionProcesses()).toEqual([]);
    // Only the time is left for which the client's connection may be idle, 65 s.
    expect(clock.waiting()).toEqual([35_000]);
  });
});

describe('the memory limit', () => {
  it('terminates a conversion with too much external memory', async () => {
    const tool = await run({ limits: { memoryMebibytes: 96 } });
    expect(await tool.convert(inBase64(pdfBomb(200)))).toEqual({
      text: 'The document takes more than 96 MiB of memory to convert.',
      failed: true,
    });
    expect(await tool.convert('data:,still here')).toEqual({ text: 'still here', failed: false });
  });

  it('is checked again and again', async () => {
    const clock = createManualClock();
    const tool = await run({}, { clock });
    const answer = tool.convert(endless);
    for (let checks = 0; checks < 3; checks += 1) {
      await memoryCheck(clock);
      clock.advance(50);
    }
    clock.advance(30_000);
    expect(await answer).toMatchObject({ failed: true });
  });

  it('terminates a conversion with too large a heap, even without memory checks', async () => {
    const tool = await run({ limits: { memoryMebibytes: 32 } }, { clock: createManualClock() });
    expect(await tool.convert(`data:text/csv,${'a,b\n'.repeat(1_000_000)}`)).toMatchObject({
      failed: true,
      text: 'The document takes more than 32 MiB of memory to convert.',
    });
    expect(await tool.convert('data:,still here')).toEqual({ text: 'still here', failed: false });
  });
});

describe('the process of a conversion', () => {
  it('fails that call alone when it crashes', async () => {
    const clock = createManualClock();
    const tool = await run({}, { clock });
    const answer = tool.convert(endless);
    await memoryCheck(clock);
    expect(conversionProcesses()).toHaveLength(1);
    for (const id of conversionProcesses()) process.kill(id, 'SIGSEGV');
    expect(await answer).toEqual({ text: 'The conversion ended without a result.', failed: true });
    expect(await tool.convert('data:,still here')).toEqual({ text: 'still here', failed: false });
  });

  it.each([
    ['is told of later', '/no/such/node'],
    ['is thrown', '/dev/null/node'],
    ['is an early end', '/bin/false'],
  ])('fails that call alone when the operating system starts none, where the refusal %s', async (_, program) => {
    const tool = await run();
    process.execPath = program;
    expect(await tool.convert('data:,x')).toEqual({
      text: 'The operating system starts no process to convert documents: raise its limits (pids.max, ulimit -u, ulimit -n).',
      failed: true,
    });
    process.execPath = execPath;
    expect(await tool.convert('data:,x')).toEqual({ text: 'x', failed: false });
  });
});

describe('a large document', () => {
  it('arrives whole, and so does its Markdown', async () => {
    const text = `${'😀'.repeat(700_001)}\n${'é'.repeat(1_500_000)}.`;
    const { port } = await origin((_, response) =>
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(text),
    );
    const answer = await (await run()).convert(`http://127.0.0.1:${port}/`);
    // Not compared by the runner, which would print both.
    expect(answer.text === text).toBe(true);
  });
});

describe('a limit', () => {
  it('on the Markdown rejects a larger result', async () => {
    const tool = await run({ limits: { unpackedBytes: 10 } });
    expect(await tool.convert('data:,01234567890')).toMatchObject({
      failed: true,
      text: 'The Markdown is larger than 10 bytes.',
    });
  });

  it('on concurrent conversions rejects one more, and accepts it afterwards', async () => {
    const waiting = Promise.withResolvers<void>();
    const { port, firstRequest } = await origin((_, response) => void waiting.promise.then(() => response.end('late')));
    const tool = await run({ limits: { concurrentConversions: 1 } });
    const first = tool.convert(`http://127.0.0.1:${port}/`);
    await firstRequest('/');
    expect(await tool.convert('data:,x')).toMatchObject({ failed: true, text: expect.stringContaining('Try again') });
    waiting.resolve();
    expect(await first).toEqual({ text: 'late', failed: false });
    expect(await tool.convert('data:,x')).toEqual({ text: 'x', failed: false });
  });
});
