import type { LineCounter } from 'yaml';
import { matchKind } from '../../../resources/resources.ts';
import { limits } from './limits.ts';
import { ManifestError } from './manifest-error.ts';
import { obviousKind } from './obvious-kind.ts';

/** A document that is too long to be parsed, and of a kind that is not read anyhow. */
export interface LongDocument {
  readonly offset: number;
  readonly kind: string;
}

/**
 * Bounds the structure of each document before it is parsed: its nodes would take more memory than there is. The heap of
 * a process is limited, but may be exceeded for a while: by 500 MiB for 5 MiB of empty lists. A longer document of a kind
 * that is not read, such as a ConfigMap, becomes blank, so that the others of the file count; offsets stay.
 *
 * @param lines is given the offset of each line when this throws: nothing was parsed yet that would know them
 * @throws ManifestError for a longer document of any other kind, or of a kind that is not obvious
 */
export function withoutLongDocuments(
  text: string,
  lines: LineCounter,
): { readonly text: string; readonly left: readonly LongDocument[] } {
  const left: LongDocument[] = [];
  const parts: string[] = [];
  let copied = 0;
  let start = 0;
  let structure = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === lineFeed && isMarker(text, index + 1)) {
      start = index + 1;
      structure = 0;
    } else if (countsAsStructure(code)) structure += 1;
    if (structure <= limits.structure) continue;
    const end = endOfDocument(text, index);
    const body = text.slice(start, end);
    const kind = foreignKind(body);
    if (kind === undefined) throw tooLong(text, lines, index);
    const marker = isMarker(body, 0) ? markerLength : 0;
    left.push({ offset: start + marker, kind });
    parts.push(text.slice(copied, start + marker), body.slice(marker).replaceAll(/[^\n]/g, ' '));
    copied = end;
    index = end - 1;
    structure = 0;
  }
  return left.length === 0 ? { text, left } : { text: parts.join('') + text.slice(copied), left };
}

/** The kind of a document, if it is obvious that it is not read. */
function foreignKind(body: string): string | undefined {
  const found = obviousKind(body);
  if (found === undefined || found.kind === 'List') return undefined;
  const match = matchKind(found.apiVersion, found.kind);
  return match.match === 'foreign' && match.message === undefined ? found.kind : undefined;
}

function tooLong(text: string, lines: LineCounter, index: number): ManifestError {
  lines.addNewLine(0);
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) lines.addNewLine(at + 1);
  return new ManifestError(index, 'A document is too long: split it.');
}

/** `---` only separates documents when it stands alone or before a blank: `---x` is a word. */
function isMarker(text: string, at: number): boolean {
  return text.startsWith('---', at) && ' \t\r\n'.includes(text.charAt(at + markerLength));
}

const markerLength = 3;

function endOfDocument(text: string, from: number): number {
  for (let at = text.indexOf('\n---', from); at !== -1; at = text.indexOf('\n---', at + 1))
    if (isMarker(text, at + 1)) return at + 1;
  return text.length;
}

function countsAsStructure(code: number): boolean {
  return code === lineFeed || code === colon || code === comma || code === openArray || code === openObject;
}

const lineFeed = 0x0a;
const comma = 0x2c;
const colon = 0x3a;
const openArray = 0x5b;
const openObject = 0x7b;
