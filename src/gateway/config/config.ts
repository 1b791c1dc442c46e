import { closeSync, constants, createReadStream, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { measureJson } from '../../json/bounded-json.ts';
import { repeatedMember } from '../../json/json-text.ts';
import { shortened } from '../../json/quoted.ts';
import { reasonOf } from '../../net/errors.ts';
import { maxTextBytes, type TextFetch } from '../../net/outbound/text-fetch.ts';
import { GatewayError } from '../errors.ts';
import { type DecodedConfig, decodeConfig } from './decode.ts';
import type { Mounts } from './mounts.ts';

/** The source of the configuration: `--file=<path or URL>` or `--config=<JSON>`, exactly one of them. */
export interface ConfigSource {
  readonly file: string | undefined;
  readonly config: string | undefined;
}

/** Dependencies of reading the configuration. */
export interface ConfigParts {
  readonly mounts: Mounts;
  readonly fetchText: TextFetch;
}

/**
 * Reads the configuration once, at the start.
 *
 * @throws GatewayError, `environment` when the source cannot be read, `usage` when the configuration is not valid
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
    return decodeConfig(parseText(text), parts.mounts);
  } catch (error) {
    throw error instanceof GatewayError ? new GatewayError(error.reason, `${source}: ${error.message}`) : error;
  }
}

async function readSource(file: string, { mounts, fetchText }: ConfigParts): Promise<string> {
  const path = mounts(file.startsWith('file:') ? fileURLToPath(file) : file);
  try {
    return /^https?:/i.test(file) ? await fetchText(file, { timeout: 10_000 }) : await readFile(path);
  } catch (error) {
    throw new GatewayError('environment', `--file=${file}: the configuration cannot be read: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * Reads a file, or a pipe (`--file=<(jq …)`), and of it one byte too many at most. Opened without blocking: a thread that
 * waits for the writer of a named pipe keeps the program from ending, whatever signal it gets.
 */
async function readFile(path: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of openStream(path)) {
    chunks.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes > maxTextBytes) throw new Error(`it is larger than ${maxTextBytes} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Opens a stream that closes its descriptor. A Socket waits for the writer of a pipe without a thread. */
function openStream(path: string): Readable {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const status = fstatSync(fd);
  if (status.isFile()) return createReadStream(path, { fd });
  if (status.isFIFO()) return new Socket({ fd });
  closeSync(fd);
  throw new Error('it is neither a file nor a pipe');
}

/** Of a configuration: a key set of a hundred keys has a thousand values, and ten levels are enough for all of it. */
const bounds = { maxValues: 100_000, maxDepth: 32 } as const;

/**
 * Parses the text as JSON, after a byte order mark if there is one. The error quotes the parser's reason. A field that
 * occurs twice is one, since the other one could be meant to restrict access.
 */
function parseText(source: string): unknown {
  const text = source.replace(/^\uFEFF/, '');
  if (measureJson(text, bounds).kind !== 'within') {
    throw new GatewayError('usage', `has more than ${bounds.maxValues} values or ${bounds.maxDepth} levels`);
  }
  const value = parse(text);
  const twice = repeatedMember(text);
  if (twice === undefined) return value;
  throw new GatewayError('usage', `${shortened(twice)}: is there twice; keep one of the two`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new GatewayError('usage', `is not JSON: ${reasonOf(error)}`);
  }
}
