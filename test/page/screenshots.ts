import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { chromiumPath, openPage, startChromium } from '../support/page/chromium.ts';
import { type PageWorld, pageWorlds, startPageWorld } from '../support/page/page-worlds.ts';
import { mcpService } from '../support/worlds/manifests.ts';

/** Takes the pictures of the page in `docs/img`: `npm run screenshots`. */
const folder = fileURLToPath(new URL('../../docs/img/', import.meta.url));

interface Shot {
  readonly name: string;
  /** The part of the address after the host. */
  readonly view?: string;
  readonly width?: number;
  readonly colorScheme?: 'light' | 'dark';
  readonly before?: (page: Page) => Promise<void>;
}

async function main(): Promise<void> {
  const path = await chromiumPath();
  if (path === undefined) throw new Error('there is no Chromium: npm run chromium installs it, or set CHROMIUM.');
  await mkdir(folder, { recursive: true });
  const browser = await startChromium(path);
  try {
    for (const name of ['healthy', 'broken', 'empty'] as const) await shootWorld(browser, name);
  } finally {
    await browser.close();
  }
}

async function shootWorld(browser: Browser, name: 'healthy' | 'broken' | 'empty'): Promise<void> {
  await using world = await startPageWorld(pageWorlds[name], true);
  if (name !== 'empty') {
    await world.connect('default/mcp-gateway', 'gw-5f7c9');
    await world.connect('default/mcp-gateway', 'gw-8k2d1', name === 'broken');
    await world.connect('research/agents', 'agents-77b4f');
  }
  for (const width of [1280, 390]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await shoot(browser, world, { name: `${name}-${width}-${colorScheme}`, width, colorScheme });
    }
  }
  if (name === 'broken') {
    await shoot(browser, world, { name: 'problems-1280-light', view: '#/problems' });
    await shoot(browser, world, { name: 'problems-390-dark', view: '#/problems', width: 390, colorScheme: 'dark' });
  }
  if (name === 'healthy') {
    await shoot(browser, world, { name: 'explain-1280-light', view: '#/explain', before: askForCalendar });
    await shoot(browser, world, {
      name: 'object-1280-dark',
      view: '#/object/MCPAuthPolicy/default/calendar',
      colorScheme: 'dark',
    });
    const addTarget = async (page: Page): Promise<void> => {
      await writeFile(join(world.world.folder, 'more.yaml'), mcpService('default/translator', '10.96.4.15'));
      await page.getByText('acknowledged in').waitFor();
    };
    await shoot(browser, world, { name: 'changes-1280-light', view: '#/changes', before: addTarget });
  }
}

async function askForCalendar(page: Page): Promise<void> {
  await page.getByLabel('Caller').fill('{"sub": "assistent"}');
  await page.getByLabel('Name').fill('default/calendar:list_events');
  await page.getByRole('button', { name: 'Explain' }).click();
  await page.getByText('Denied').waitFor();
}

async function shoot(browser: Browser, { url }: PageWorld, shot: Shot): Promise<void> {
  const { name, view = '', width = 1280, colorScheme = 'light', before } = shot;
  const look = { viewport: { width, height: width < 1000 ? 844 : 860 }, colorScheme, reducedMotion: 'reduce' } as const;
  const { page, context } = await openPage(browser, `${url}${view}`, look);
  await page.locator('.live.open').waitFor();
  await page.locator('main h2').first().waitFor();
  await before?.(page);
  // The lines of the picture are drawn in the next frame.
  await page.evaluate('new Promise(requestAnimationFrame)');
  await page.screenshot({ path: `${folder}${name}.png`, fullPage: width < 1000 && view === '' });
  await context.close();
}

await main();
