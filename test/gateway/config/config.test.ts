import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/gateway/config/config.ts';
import type { DecodedConfig } from '../../../src/gateway/config/decode.ts';
import { parseMounts } from '../../../src/gateway/config/mounts.ts';
import { createNetwork } from '../../../src/gateway/network/network.ts';
import { parseResolutions } from '../../../src/gateway/network/resolve.ts';
import { createTargetSettings } from '../../../src/gateway/network/target-settings.ts';
import { listen } from '../../../src/net/listener/http-listener.ts';
import { createTextFetch } from '../../../src/net/outbound/text-fetch.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { guideConfig } from '../../support/processes/guide.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

async function load(
  source: { readonly file?: string; readonly config?: string },
  ...mounts: readonly string[]
): Promise<DecodedConfig> {
  const clock = createManualClock();
  const network = createNetwork({
    resolutions: parseResolutions([]),
    settings: createTargetSettings(clock, createRecordedLog()),
    clock,
    failed: () => {},
  });
  const fetchText = createTextFetch(network.operatorFetch, clock);
  try {
    return await loadConfig(
      { file: undefined, config: undefined, ...source },
      { mounts: parseMounts(mounts), fetchText },
    );
  } finally {
    await network.stop();
  }
}

const pathOf = ({ config: { listener } }: DecodedConfig): unknown =>
  listener.type === 'sse' && listener.authn?.jwks.kind === 'file' ? listener.authn.jwks.path : undefined;

describe('the configuration', () => {
  const text = JSON.stringify(guideConfig);

  it('is read from a file, and --mount applies to its own path and to the paths in it', async () => {
    writeFileSync(join(folder, 'config.json'), text);
    expect(pathOf(await load({ file: '/config/config.json' }, `/config=${folder}`))).toBe(join(folder, 'jwks.json'));
  });

  it('is read without --mount, from a path or a file: URL, also after a byte order mark', async () => {
    const path = join(folder, 'config.json');
    writeFileSync(path, `\uFEFF${text}`);
    expect(pathOf(await load({ file: path }))).toBe('/config/jwks.json');
    expect(pathOf(await load({ file: pathToFileURL(path).href }))).toBe('/config/jwks.json');
  });

  it('is refused when the file is larger than 1 MiB', async () => {
    const path = join(folder, 'config.json');
    writeFileSync(path, `${text}${' '.repeat(1024 * 1024)}`);
    await expect(load({ file: path })).rejects.toThrow('the configuration cannot be read: it is larger than 1048576');
  });

  it.each(['/dev/zero', tmpdir()])('is refused when it is neither a file nor a pipe: %s', async (file) => {
    await expect(load({ file })).rejects.toThrow('the configuration cannot be read: it is neither a file nor a pipe');
  });

  it('is read from the command line', async () => {
    expect(pathOf(await load({ config: text }))).toBe('/config/jwks.json');
  });

  it('is fetched from a URL, which must respond with 200', async () => {
    const server = createServer((request, response) => {
      response.statusCode = request.url === '/config.json' ? 200 : 404;
      response.end(text);
    });
    const { port } = await listen(server, { host: '127.0.0.1', port: 0 }, 'a test');
    try {
      expect(pathOf(await load({ file: `http://127.0.0.1:${port}/config.json` }))).toBe('/config/jwks.json');
      await expect(load({ file: `http://127.0.0.1:${port}/other` })).rejects.toMatchObject({
        reason: 'environment',
        message: `--file=http://127.0.0.1:${port}/other: the configuration cannot be read: answered with status 404`,
      });
    } finally {
      server.close();
    }
  });

  it('must have exactly one source', async () => {
    for (const source of [{}, { file: 'a', config: '{}' }]) {
      await expect(load(source)).rejects.toThrow(
        '--file=<path or URL> or with --config=<JSON>, exactly one of the two',
      );
    }
  });

  it.each([
    ['{"listener": {"authn": {"audience": ["me.com"], "audience": []}}}', 'listener.authn.audience: is there twice'],
    ['{"listener": {"authn": {"issuers": [{"issuer": "a", "issuer": "b"}]}}}', 'issuers[0].issuer: is there twice'],
    ['['.repeat(100), 'has more than 100000 values or 32 levels'],
  ])('with a field twice, or too deep, is an error: %s', async (config, message) => {
    await expect(load({ config })).rejects.toMatchObject({
      reason: 'usage',
      message: expect.stringContaining(message),
    });
  });

  it('that is missing, not JSON or not valid is an error that names the source', async () => {
    await expect(load({ file: join(folder, 'none.json') })).rejects.toMatchObject({
      reason: 'environment',
      message: expect.stringMatching(/^--file=.*none\.json: the configuration cannot be read: ENOENT/),
    });
    await expect(load({ config: '{' })).rejects.toMatchObject({
      reason: 'usage',
      message: expect.stringMatching(/^--config: is not JSON: /),
    });
    await expect(load({ config: '{}' })).rejects.toMatchObject({
      reason: 'usage',
      message: '--config: type: is missing: write "xds"',
    });
  });
});

describe('--mount', () => {
  it('maps absolute paths below it, the longest mount first, and no other path', () => {
    const mounts = parseMounts(['/config=/srv/a', '/config/keys/=keys', '/one.json=/srv/b.json']);
    expect(mounts('/config/config.json')).toBe('/srv/a/config.json');
    expect(mounts('/config')).toBe('/srv/a');
    expect(mounts('/config/keys/x/jwks.json')).toBe('keys/x/jwks.json');
    expect(mounts('/one.json')).toBe('/srv/b.json');
    expect(mounts('/configuration/x')).toBe('/configuration/x');
    expect(mounts('config/x')).toBe('config/x');
    expect(mounts('/config/../etc/x')).toBe('/config/../etc/x');
    expect(mounts('/etc/../config/x')).toBe('/srv/a/x');
  });

  it('of the root maps every absolute path', () => {
    expect(parseMounts(['/=/srv'])('/config/x')).toBe('/srv/config/x');
  });

  it.each(['', '/config', '/config=', 'config=/srv', '=/srv'])('rejects %j with an example', (value) => {
    expect(() => parseMounts([value])).toThrow(
      `--mount=${value}: write /path=<folder>, the path beginning with a slash`,
    );
  });
});
