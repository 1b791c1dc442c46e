import { promises as files } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { GatewayError, reasonOf } from '../errors.ts';
import type { TextFetch } from '../network/text-fetch.ts';
import { type DecodedConfig, decodeConfig } from './decode.ts';
import type { Mounts } from './mounts.ts';

/** Where the configuration comes from: `--file=<path or URL>` or `--config=<JSON>`, exactly one of them. */
export interface ConfigSource {
  readonly file: string | undefined;
  readonly config: string | undefined;
}

/** What is needed to get at it. */
export interface ConfigParts {
  readonly mounts: Mounts;
  readonly fetchText: TextFetch;
}

/**
 * Reads the configuration once; a running gateway does not look at it again.
 *
 * @throws GatewayError, `environment` when it cannot be read, `usage` when it does not say what a configuration says
 */
export async function loadConfig({ file, config }: ConfigSource, parts: ConfigParts): Promise<DecodedConfig> {
  if ((file === undefined) === (config === undefined)) {
    throw new GatewayError(
      'usage',
      'give the configuration with --file=<path or URL> or with --config=<JSON>, exactly one of the two',
    );
  }
  const source = file === undefined ? '--config' : `--file=${file}`;
  const text = file === undefined ? (config ?? '') : await readSource(file, parts);
  try {
    return decodeConfig(parseJson(text), parts.mounts);
  } catch (error) {
    throw error instanceof GatewayError ? new GatewayError(error.reason, `${source}: ${error.message}`) : error;
  }
}

async function readSource(file: string, { mounts, fetchText }: ConfigParts): Promise<string> {
  const path = mounts(file.startsWith('file:') ? fileURLToPath(file) : file);
  try {
    return /^https?:/i.test(file) ? await fetchText(file, { timeout: 10_000 }) : await files.readFile(path, 'utf8');
  } catch (error) {
    throw new GatewayError('environment', `--file=${file}: the configuration cannot be read: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new GatewayError('usage', `is not JSON: ${reasonOf(error)}`);
  }
}
