import { createHash } from 'node:crypto';
import { parseBoundedJson } from '../../json/bounded-json.ts';
import { isJsonObject } from '../../json/json.ts';
import { quoted } from '../../json/quoted.ts';
import type { EncodedResources, ResourceSnapshot } from './config-store.ts';
import type { ResourceKind } from './model.ts';

/*
 * The file of the last-good state: lines of JSON. The first one says what the file is and whose; one line follows for
 * each resource, with the bytes of its message; the last one has their number and a digest of all lines before. The
 * digest proves nothing about the author: it tells a file that is incomplete or damaged from one that is whole.
 */

/** Whose state it is. That of another owner may allow what this one must not. */
export interface StateOwner {
  /** The URL of the control plane. */
  readonly controlPlane: string;
  /** What names the Gateway to the control plane, and what else decides about its resources. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The resources in force, and when a control plane has confirmed the last of them. */
export interface SavedState {
  /** Milliseconds since the epoch. */
  readonly savedAt: number;
  readonly resources: EncodedResources;
}

/** The largest file: 32 MiB, more than a hundred thousand rules. */
export const maxStateBytes: number = 32 * 1024 * 1024;

/** Resources of a file: as many objects as the control plane lists. */
const maxResources = 200_000;

/** Structure of one line; a resource is a list of three texts. */
const lineBounds = { maxValues: 1_000, maxDepth: 8 } as const;

const format = 'gatehouse last-good state';

/** Other versions are refused: what they mean is not known. */
const formatVersion = 1;

/**
 * Writes the lines of a file, each encoded when it is asked for, so that the event loop can be left between them.
 *
 * @throws Error, while the lines are read, when there would be more than may be read again
 */
export function* encodeState(owner: StateOwner, savedAt: number, resources: ResourceSnapshot): Generator<Buffer> {
  if (resources.length > maxResources) throw new Error(`there are more than ${maxResources} resources`);
  const digest = createHash('sha256');
  let bytes = 0;
  const line = (json: unknown): Buffer => {
    const text = Buffer.from(`${JSON.stringify(json)}\n`);
    bytes += text.length;
    if (bytes > maxStateBytes) throw new Error(`it would have more than ${maxStateBytes} bytes`);
    digest.update(text);
    return text;
  };
  yield line({ format, version: formatVersion, savedAt, owner: nameOf(owner) });
  for (const [kind, name, encode] of resources) yield line([kind, name, Buffer.from(encode()).toString('base64')]);
  yield line(['end', resources.length, digest.copy().digest('hex')]);
}

/**
 * Reads a file that is not older than this.
 *
 * @param now milliseconds since the epoch
 * @param maxAge milliseconds
 * @throws Error with the reason why the file is not used, as the end of a sentence about it
 */
export function decodeState(
  file: Buffer,
  owner: StateOwner,
  { now, maxAge }: { now: number; maxAge: number },
): SavedState {
  const [first, ...lines] = linesOf(file);
  const { savedAt } = readHeader(first, owner);
  if (savedAt > now) throw new Error('was saved in the future, as this clock has it');
  if (now - savedAt >= maxAge) throw new Error(`was confirmed ${Math.floor((now - savedAt) / 1_000)} seconds ago`);
  const last = lines.pop();
  assertWhole(file, last, lines.length);
  const resources = { Target: new Map<string, Uint8Array>(), Config: new Map<string, Uint8Array>() };
  for (const line of lines) {
    const { kind, name, bytes } = readResource(line);
    if (resources[kind].has(name)) throw new Error(`has ${kind} ${quoted(name)} twice`);
    resources[kind].set(name, bytes);
  }
  return { savedAt, resources };
}

/** A file that does not end with a line break was cut off. */
function linesOf(file: Buffer): string[] {
  const lines = file.toString('utf8').split('\n', maxResources + 4);
  if (lines.length > maxResources + 3) throw new Error(`has more than ${maxResources} resources`);
  if (lines.pop() !== '') throw new Error('is cut off');
  return lines;
}

function readHeader(line: string | undefined, owner: StateOwner): { readonly savedAt: number } {
  const header = jsonOf(line);
  if (!isJsonObject(header) || header['format'] !== format) throw new Error('is no last-good state');
  if (header['version'] !== formatVersion) {
    throw new Error(`has the version ${quoted(String(header['version']))}, and ${formatVersion} is the one known here`);
  }
  const { savedAt } = header;
  if (typeof savedAt !== 'number' || !Number.isSafeInteger(savedAt)) throw new Error('does not say when it was saved');
  if (header['owner'] !== nameOf(owner)) {
    throw new Error(`is of ${quoted(String(header['owner']))}, and this gateway is ${quoted(nameOf(owner))}`);
  }
  return { savedAt };
}

/** Equal for equal owners only. */
function nameOf({ controlPlane, metadata }: StateOwner): string {
  const named = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${controlPlane} ${named.map(([key, value]) => `${JSON.stringify(key)}=${JSON.stringify(value)}`).join(' ')}`;
}

function assertWhole(file: Buffer, last: string | undefined, resources: number): void {
  const end = jsonOf(last);
  if (!Array.isArray(end) || end[0] !== 'end' || end[1] !== resources) throw new Error('is not complete');
  const lines = file.subarray(0, file.length - Buffer.byteLength(`${last}\n`));
  if (createHash('sha256').update(lines).digest('hex') !== end[2]) throw new Error('is damaged');
}

function readResource(line: string): {
  readonly kind: ResourceKind;
  readonly name: string;
  readonly bytes: Uint8Array;
} {
  const entry = jsonOf(line);
  const [kind, name, text]: readonly unknown[] = Array.isArray(entry) && entry.length === 3 ? entry : [];
  if ((kind !== 'Target' && kind !== 'Config') || typeof name !== 'string' || typeof text !== 'string') {
    throw new Error('has a line that is no resource');
  }
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new Error(`has ${kind} ${quoted(name)} in another encoding than base64`);
  return { kind, name, bytes };
}

function jsonOf(line: string | undefined): unknown {
  const parsed = parseBoundedJson(line ?? '', lineBounds);
  if (parsed.kind !== 'json') throw new Error('has a line that is no JSON');
  return parsed.value;
}
