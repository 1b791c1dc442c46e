import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { executedBlocks, pageText, runPage } from './page-runner.ts';

const pages = [
  'README.md',
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
// docs/clients.md continues another page: clients.process.test.ts.
const executed = pages.filter((path) => path !== 'docs/clients.md' && executedBlocks(pageText(path)).length > 0);

it('the pages that people follow are executed', () => {
  expect(executed).toEqual(
    expect.arrayContaining(
      ['getting-started', 'gateway-configuration', 'identity-providers', 'policies-by-example', 'troubleshooting'].map(
        (name) => `docs/${name}.md`,
      ),
    ),
  );
});

describe.each(executed)('%s', (path) => {
  it('says what its commands do', { timeout: 180_000 }, async () => {
    const run = await runPage();
    for (const block of executedBlocks(pageText(path))) await run.execute(block);
  });
});

/** The anchors that GitHub gives the headings of a page. */
function anchorsOf(path: string): ReadonlySet<string> {
  const headings = pageText(path).matchAll(/^#+ (.+)$/gm);
  return new Set(
    Array.from(headings, ([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

it.each(pages)('the links of %s lead to files and headings that exist', (path) => {
  const links = Array.from(pageText(path).matchAll(/\]\((?!https?:)([^)\s]+)\)/g), ([, link = '']) => link);
  const broken = links.filter((link) => {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? path : join(dirname(path), file);
    return !existsSync(target) || (anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).has(anchor));
  });
  expect(broken).toEqual([]);
});
