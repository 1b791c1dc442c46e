import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** A file of the page. */
interface PageFile {
  /** The `Content-Type`. */
  readonly type: string;
  readonly body: string;
  /** Further headers, in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What reads each file of the page, by path. */
export type Page = ReadonlyMap<string, () => Promise<PageFile>>;

/** The modules that the browser runs, as they are written. */
const modules = [
  'main.js',
  'api.js',
  'live.js',
  'words.js',
  'picture-lines.js',
  'views/parts.js',
  'views/frame.js',
  'views/gateways.js',
  'views/gateway.js',
  'views/nodes.js',
  'views/object.js',
  'views/explain.js',
  'views/answer.js',
  'views/problems.js',
  'views/changes.js',
];

/** In the order in which rules override each other. */
const styles = ['base.css', 'frame.css', 'fields.css', 'gateways.css', 'views.css', 'small-screens.css'];

const script = 'text/javascript; charset=utf-8';

/** The folder of the files that are served. */
const browser = new URL('browser', import.meta.url);

/** The renderer, as its package has it for browsers. */
const litHtml = new URL('../../node_modules/lit-html/lit-html.js', import.meta.url);

/**
 * Returns the files of the page, each read once, when it is first asked for: most processes show the page to nobody. The
 * page asks this address alone for everything.
 */
export function openPage(): Page {
  return new Map([
    ['/', keep(readDocument)],
    ...styles.map((name) => plainFile(`/page/style/${name}`, 'text/css; charset=utf-8', browserFile(`style/${name}`))),
    plainFile('/page/icon.svg', 'image/svg+xml', browserFile('icon.svg')),
    plainFile('/page/lit-html.js', script, litHtml),
    ...modules.map((name) => plainFile(`/page/${name}`, script, browserFile(name))),
  ]);
}

async function readDocument(): Promise<PageFile> {
  const body = await readFile(browserFile('index.html'), 'utf8');
  return { type: 'text/html; charset=utf-8', body, headers: pageHeaders(body) };
}

function browserFile(name: string): URL {
  return new URL(`${browser.href}/${name}`);
}

function plainFile(path: string, type: string, from: URL): readonly [string, () => Promise<PageFile>] {
  return [path, keep(async () => ({ type, body: await readFile(from, 'utf8'), headers: {} }))];
}

/** Reads at the first call, and again after a call that failed. */
function keep(read: () => Promise<PageFile>): () => Promise<PageFile> {
  let reading: Promise<PageFile> | undefined;
  return () => {
    reading ??= read().catch((error: unknown) => {
      reading = undefined;
      throw error;
    });
    return reading;
  };
}

/** Nothing but the files above runs, no other address is asked, and no other page shows this one. */
function pageHeaders(document: string): Readonly<Record<string, string>> {
  // The one script in the document itself says where the browser finds the package that modules import by its name.
  const importMap = /<script type="importmap">(?<map>[^<]*)</.exec(document)?.groups?.['map'] ?? '';
  const hash = createHash('sha256').update(importMap).digest('base64');
  const policy = [
    "default-src 'none'",
    `script-src 'self' 'sha256-${hash}'`,
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types lit-html',
  ];
  return {
    'content-security-policy': policy.join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
  };
}
