import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, type Look, openPage, startChromium } from '../support/page/chromium.ts';
import { type PageWorld, pageWorlds, startPageWorld } from '../support/page/page-worlds.ts';
import { mcpClass, mcpGateway, mcpService, policy, together } from '../support/worlds/manifests.ts';

const executable = await chromiumPath();
if (executable === undefined) console.warn('skipped: there is no Chromium; npm run chromium installs it');

const views = [
  '',
  '#/gateways/default/mcp-gateway',
  '#/object/MCPAuthPolicy/default/typos',
  '#/object/Service/default/calendar',
  '#/explain',
  '#/problems',
  '#/changes',
];

let browser: Browser;
let world: PageWorld;
beforeAll(async () => {
  if (executable === undefined) return;
  browser = await startChromium(executable);
  world = await startPageWorld(pageWorlds.broken);
  await world.connect('default/mcp-gateway', 'gw-1');
  await world.connect('default/mcp-gateway', 'gw-2', true);
}, 120_000);
afterAll(async () => {
  if (executable === undefined) return;
  await browser.close();
  await world[Symbol.asyncDispose]();
});

async function open(view: string, look?: Look) {
  const opened = await openPage(browser, `${world.url}${view}`, look);
  await opened.page.locator('.live.open').waitFor();
  await opened.page.locator('main h2').first().waitFor();
  return opened;
}

describe.skipIf(executable === undefined)('the page', () => {
  it('says at one glance what is wrong, and leads from there to the object, its rules and its YAML', async () => {
    const { page, context, errors, requests } = await open('');
    await page.getByRole('heading', { level: 1, name: /Something needs attention.*errors.*1 node refusing/ }).waitFor();
    await page.getByText('rule 1 has no resource').waitFor();
    expect(await page.locator('svg.lines path').count()).toBeGreaterThan(4);
    await page.getByRole('link', { name: 'default/typos' }).click();
    await page.getByRole('heading', { level: 2, name: 'default/typos' }).waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toBe('default/typos');
    await page.getByText('Partly invalid').waitFor();
    await page.getByText('kind: toll').waitFor();
    await page.getByText('target not served').waitFor();
    expect(errors).toEqual([]);
    expect(new Set(requests.map((url) => new URL(url).origin))).toEqual(new Set([new URL(world.url).origin]));
    await context.close();
  });

  it.each(['light', 'dark'] as const)(
    'has nothing serious for axe, and no line too wide at 390 px: %s',
    async (colorScheme) => {
      for (const width of [1280, 390]) {
        const { page, context } = await open('', {
          viewport: { width, height: 844 },
          colorScheme,
          reducedMotion: 'reduce',
        });
        for (const view of views) {
          await page.goto(`${world.url}${view}`);
          await page.evaluate(axe.source);
          await page.locator('main h2').first().waitFor();
          await page.locator('main .waiting').waitFor({ state: 'detached' });
          const found = await page.evaluate<{
            violations: { impact: string; id: string; nodes: { html: string }[] }[];
          }>('axe.run()');
          const serious = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
          expect(
            serious.map(({ id, nodes }) => [id, nodes[0]?.html]),
            `${view} at ${width}`,
          ).toEqual([]);
          expect(
            await page.evaluate('document.documentElement.scrollWidth'),
            `${view} at ${width}`,
          ).toBeLessThanOrEqual(width);
        }
        await context.close();
      }
    },
  );
});

describe.skipIf(executable === undefined)('the page in use', () => {
  it('works by keyboard alone', async () => {
    const { page, context } = await open('');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    const names: unknown[] = [];
    for (let presses = 0; presses < 10; presses += 1) {
      await page.keyboard.press('Tab');
      names.push(await page.evaluate('document.activeElement.textContent.trim().slice(0, 20)'));
      if (String(names.at(-1)).startsWith('research/')) break;
    }
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 2, name: 'research/agents' }).waitFor();
    await context.close();
  });

  it('answers a question with near misses, decodes a token in the page, and sends its claims only', async () => {
    const { page, context } = await open('#/explain');
    const sent: (string | null)[] = [];
    page.on('request', (request) => void (request.method() === 'POST' && sent.push(request.postData())));
    const payload = Buffer.from('{"sub":"assistent"}').toString('base64url');
    await page.getByLabel('Gateway').fill('default/mcp-gateway');
    await page.getByLabel('Caller').fill(`eyJhbGciOiJub25lIn0.${payload}.c2lnbmF0dXJl`);
    await page.getByLabel('Name').fill('default/calendar:list_events');
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByRole('heading', { name: 'Denied' }).waitFor();
    await page.getByText('"assistant"').first().waitFor();
    expect(sent.join()).toContain('assistent');
    expect(sent.join()).not.toContain(payload);
    await page.getByLabel('Caller').fill('{"sub": ');
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByText('The claims are no JSON object').waitFor();
    await context.close();
  });
});

describe.skipIf(executable === undefined)('the page over time', () => {
  it('shows a change without a reload, and holds as much when it is open for long', async () => {
    const { page, context } = await open('#/changes');
    const file = join(world.world.folder, 'more.yaml');
    await writeFile(file, mcpService('default/translator'));
    await page.getByRole('link', { name: 'default/translator' }).first().waitFor();
    await page.goto(`${world.url}#/gateways`);
    await page.getByRole('link', { name: 'default/translator' }).waitFor();
    const size = (): Promise<number> => page.evaluate<number>('document.querySelectorAll("*").length');
    const before = await size();
    for (let times = 0; times < 3; times += 1) {
      await writeFile(file, '');
      await page.getByRole('link', { name: 'default/translator' }).waitFor({ state: 'detached' });
      await writeFile(file, mcpService('default/translator'));
      await page.getByRole('link', { name: 'default/translator' }).waitFor();
    }
    // Lines of the picture are drawn in the next frame.
    expect(Math.abs((await size()) - before)).toBeLessThan(5);
    await context.close();
  });

  it('says that the stream is broken, and goes on when it is back', async () => {
    const { page, context } = await open('');
    await context.route('**/debug/events', (route) => route.fulfill({ status: 503, body: '{}' }));
    await page.reload();
    await page.getByText('The stream is broken since').waitFor();
    await page.getByText('stream broken').waitFor();
    await context.unroute('**/debug/events');
    await page.getByRole('button', { name: 'Try now' }).click();
    await page.locator('.live.open').waitFor();
    await page.getByText('The stream is broken since').waitFor({ state: 'detached' });
    await context.close();
  });
});

describe.skipIf(executable === undefined)('the page of another world', () => {
  it('shows HTML in every name as text', async () => {
    const evil = '<img src=x onerror="document.title=1">';
    await using world = await startPageWorld({
      '<img src=x>.yaml': together(
        mcpClass,
        mcpGateway('default/gw'),
        policy('default/p', 'gw', `'${evil}'`),
        `kind: "${evil.replaceAll('"', '')}"`,
      ),
    });
    await world.connect('default/gw', evil, true);
    for (const view of ['', '#/problems', '#/object/MCPAuthPolicy/default/p', '#/changes']) {
      const { page, context, errors } = await openPage(browser, `${world.url}${view}`);
      await page.locator('.live.open').waitFor();
      await page.locator('main h2').first().waitFor();
      await page
        .getByText('<img src=x', { exact: false })
        .first()
        .waitFor({ state: view === '#/changes' ? 'detached' : 'attached' });
      expect(await page.locator('img').count()).toBe(0);
      expect(errors).toEqual([]);
      await context.close();
    }
  });

  it('shows a page of 1,000 Gateways and 10,000 targets, and finds one by its name', async () => {
    const gateways = Array.from({ length: 1_000 }, (_, index) => mcpGateway(`team-${index}/gw`));
    const services = Array.from({ length: 10_000 }, (_, index) => mcpService(`team-${index % 1_000}/tool-${index}`));
    const files = Object.fromEntries(
      Array.from({ length: 4 }, (_, part) => [
        `part-${part}.yaml`,
        together(
          ...gateways.slice(part * 250, part * 250 + 250),
          ...services.slice(part * 2_500, part * 2_500 + 2_500),
        ),
      ]),
    );
    await using world = await startPageWorld({ 'class.yaml': mcpClass, ...files });
    const { page, context, errors } = await openPage(browser, world.url);
    await page.getByText('1–20 of 1,000').waitFor();
    await page.getByText('1–12 of 10,000').waitFor();
    expect(await page.evaluate<number>('document.querySelectorAll("*").length')).toBeLessThan(1_000);
    await page.getByLabel('Name contains').first().fill('team-999');
    await page
      .getByRole('link', { name: /team-999/ })
      .first()
      .waitFor();
    expect(errors).toEqual([]);
    await context.close();
  }, 240_000);

  it('says that there is nothing to serve', async () => {
    await using world = await startPageWorld(pageWorlds.empty);
    const { page, context } = await openPage(browser, world.url);
    await page.getByRole('heading', { level: 1, name: 'Nothing to serve yet' }).waitFor();
    await page.getByText('There is no Gateway in').waitFor();
    await context.close();
  });
});
