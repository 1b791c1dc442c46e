import { access } from 'node:fs/promises';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** Where distributions install Chromium. `CHROMIUM` names another one. */
const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The path of a Chromium; undefined when there is none: `npm run chromium` installs Debian's. */
export async function chromiumPath(): Promise<string | undefined> {
  const { CHROMIUM } = process.env;
  for (const path of CHROMIUM === undefined ? places : [CHROMIUM]) {
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

/** Starts Chromium without anything that asks the network by itself. */
export function startChromium(executablePath: string): Promise<Browser> {
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', ...quiet];
  return chromium.launch({ executablePath, headless: true, args });
}

/** What went wrong in a page, and what it asked for. */
export interface PageRecord {
  /** Errors that were thrown or logged, and violations of the Content-Security-Policy. */
  readonly errors: string[];
  /** URLs of all requests. */
  readonly requests: string[];
}

export type Look = NonNullable<Parameters<Browser['newContext']>[0]>;

/** Opens a page in a context of its own. */
export async function openPage(
  browser: Browser,
  url: string,
  look: Look = {},
): Promise<{ readonly page: Page; readonly context: BrowserContext } & PageRecord> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...look });
  const page = await context.newPage();
  const [errors, requests]: [string[], string[]] = [[], []];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('pageerror', (error) => void errors.push(error.message));
  page.on('request', (request) => void requests.push(request.url()));
  await page.goto(url, { waitUntil: 'commit' });
  return { page, context, errors, requests };
}
