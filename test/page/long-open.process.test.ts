import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, openPage, startChromium } from '../support/page/chromium.ts';
import { type PageWorld, pageWorlds, startPageWorld } from '../support/page/page-worlds.ts';

const executable = await chromiumPath();
if (executable === undefined) console.warn('skipped: there is no Chromium; npm run chromium installs it');

/** A network between a browser and a control plane: what happens to it is up to the test. */
interface Network extends AsyncDisposable {
  readonly url: string;
  /** The control plane that new requests get to. */
  to(url: string): void;
  /** Passes nothing more on of open event streams, without ending them, until they are cut. */
  freeze(): void;
  /** Ends all connections. */
  cut(): void;
  /** Sends an event to each open event stream. Settles when the operating system has it. */
  send(event: string): Promise<void>;
  /** Event streams that were opened. */
  streams(): number;
}

async function startNetwork(first: string): Promise<Network> {
  let target = first;
  let frozen = false;
  let opened = 0;
  const streams = new Set<ServerResponse>();
  const pass = (asked: IncomingMessage, response: ServerResponse): void => {
    const { hostname, port, host } = new URL(target);
    const isStream = asked.url === '/debug/events';
    const passed = request({ hostname, port, path: asked.url, headers: { ...asked.headers, host } }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      if (isStream) {
        opened += 1;
        streams.add(response);
        response.once('close', () => {
          streams.delete(response);
          answer.destroy();
        });
      }
      answer.on('data', (chunk) => {
        if (!(isStream && frozen)) response.write(chunk);
      });
      answer.once('close', () => {
        if (!(isStream && frozen)) response.end();
      });
      answer.on('error', () => undefined);
    });
    passed.once('error', () => response.destroy());
    passed.end();
  };
  const server = createServer(pass);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    to: (url) => {
      target = url;
    },
    freeze: () => {
      frozen = true;
    },
    cut: () => {
      frozen = false;
      server.closeAllConnections();
    },
    send: async (event) => {
      for (const stream of streams) {
        await new Promise<void>((resolve) => void stream.write(event, () => resolve()));
      }
    },
    streams: () => opened,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What a page holds: the nodes of its documents, and their listeners. */
async function heldBy(page: Page): Promise<{ readonly nodes: number; readonly jsEventListeners: number }> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const counters = await session.send('Memory.getDOMCounters');
  await session.detach();
  return counters;
}

let browser: Browser;
let world: PageWorld;
beforeAll(async () => {
  if (executable === undefined) return;
  browser = await startChromium(executable);
  world = await startPageWorld(pageWorlds.healthy);
}, 120_000);
afterAll(async () => {
  if (executable === undefined) return;
  await browser.close();
  await world[Symbol.asyncDispose]();
});

/** Counts the events `alive` that a page has received, before it handles them. */
const countAlive = `
  window.alive = 0;
  window.EventSource = class extends EventSource {
    constructor(path) {
      super(path);
      this.addEventListener('alive', () => { window.alive += 1; });
    }
  };`;

async function open(network: Network, script = ''): Promise<Awaited<ReturnType<typeof openPage>>> {
  const opened = await openPage(browser, 'about:blank');
  await opened.page.addInitScript(script);
  await opened.page.clock.install();
  await opened.page.goto(network.url);
  await opened.page.locator('.live.open').waitFor();
  await opened.page.locator('main h2').first().waitFor();
  return opened;
}

describe.skipIf(executable === undefined)('a page that is left open', () => {
  it('for ten thousand updates holds as much as after the first ones', async () => {
    await using network = await startNetwork(world.url);
    const { page, context, errors } = await open(network);
    const status = await world.read<Record<string, unknown>>('/debug/status');
    const update = async (from: number, to: number): Promise<void> => {
      for (let number = from; number < to; number += 1) {
        await network.send(`event: status\ndata: ${JSON.stringify({ ...status, targets: number })}\n\n`);
      }
      await page
        .locator('.facts')
        .getByText((to - 1).toLocaleString('en'), { exact: true })
        .waitFor();
    };
    await update(0, 1_000);
    const before = await heldBy(page);
    await update(1_000, 10_000);
    const after = await heldBy(page);
    expect(after.nodes).toBeLessThan(before.nodes * 1.2 + 100);
    expect(after.jsEventListeners).toBeLessThan(before.jsEventListeners * 1.2 + 10);
    expect(errors).toEqual([]);
    await context.close();
  }, 300_000);

  it('for a day, as on a laptop that sleeps, is live again by itself, with one stream', async () => {
    await using network = await startNetwork(world.url);
    const { page, context, errors } = await open(network);
    const before = await heldBy(page);
    for (let hour = 0; hour < 24; hour += 6) {
      await page.clock.fastForward('06:00:00');
      await page.locator('.live.open').waitFor();
    }
    await page.getByText('up 1 d').waitFor();
    const after = await heldBy(page);
    expect(after.nodes).toBeLessThan(before.nodes * 1.2 + 100);
    expect(after.jsEventListeners).toBeLessThan(before.jsEventListeners * 1.2 + 10);
    expect(errors.filter((error) => !error.includes('ERR_'))).toEqual([]);
    await context.close();
  }, 120_000);
});

describe.skipIf(executable === undefined)('a page whose stream', () => {
  it('is silent because the network is gone without a word says so, and of when what it shows is', async () => {
    await using network = await startNetwork(world.url);
    const { page, context } = await open(network);
    network.freeze();
    await page.clock.fastForward(40_000);
    await page.getByText('The stream is broken since').waitFor();
    await page.getByText('Shown is the state of').waitFor();
    network.cut();
    await page.getByRole('button', { name: 'Try now' }).click();
    await page.locator('.live.open').waitFor();
    await page.getByText('The stream is broken since').waitFor({ state: 'detached' });
    await context.close();
  }, 60_000);

  it('has events that say nothing stays live', async () => {
    await using network = await startNetwork(world.url);
    const { page, context } = await open(network, countAlive);
    for (let times = 1; times <= 6; times += 1) {
      const seen = await page.evaluate<number>('alive');
      await network.send('event: alive\ndata: {}\n\n');
      await expect.poll(() => page.evaluate<number>('alive')).toBeGreaterThan(seen);
      await page.clock.fastForward(30_000);
    }
    expect(await page.locator('.live.open').count()).toBe(1);
    expect(network.streams()).toBe(1);
    await context.close();
  }, 60_000);

  it('ends because the control plane restarts with another world shows that world', async () => {
    await using network = await startNetwork(world.url);
    const { page, context } = await open(network);
    await using next = await startPageWorld(pageWorlds.empty);
    network.to('http://127.0.0.1:1/');
    network.cut();
    await page.getByText('The stream is broken since').waitFor();
    network.to(next.url);
    await page.clock.fastForward(31_000);
    await page.locator('.live.open').waitFor();
    await page.getByRole('heading', { level: 1, name: 'Nothing to serve yet' }).waitFor();
    await page.getByText('There is no Gateway in').waitFor();
    await context.close();
  }, 60_000);
});
