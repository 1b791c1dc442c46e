import { detached } from '../../../json/detached.ts';
import type { KindName } from '../../../resources/model.ts';
import { kinds, matchKind } from '../../../resources/resources.ts';
import { obviousKind } from './obvious-kind.ts';

/**
 * The objects that a text may define which cannot be parsed, as far as its words tell: once it is mended, an object of
 * it has its kind and its name in it. `any`: its words are not known, or are too many.
 */
export type PossibleObjects = 'any' | PossibleWords;

interface PossibleWords {
  /** The words of the documents that may be of a kind. */
  readonly names: ReadonlyMap<KindName, ReadonlySet<string>>;
  /** The words of the documents that may be policies that say who may sign tokens: the names of their Gateways. */
  readonly signed: ReadonlySet<string>;
}

/** Says that nothing is defined: there is no content. */
export const noObjects: PossibleObjects = { names: new Map(), signed: new Set() };

/** Different words of a file that are kept. */
const maxWords = 5_000;

const kindNames: readonly KindName[] = Object.values(kinds).map(({ kind }) => kind);

/** Finds out what a text may define. Takes linear time, a fraction of that of the parser. */
export function possibleObjects(text: string): PossibleObjects {
  const words = new WordCollector();
  // A document begins where the parser sees it: behind a line feed alone, and not behind one that is an escape.
  for (const document of text.split(/(?<![^\n])(?=---(?:[ \t\r\n]|$))/)) {
    words.add(unescaped(document), kindsOf(document));
    words.endDocument();
  }
  return words.found();
}

/** Bytes that the words take which are kept, about: each stands in a set for each kind that it may be the name of. */
export function keptBytes(possible: PossibleObjects): number {
  if (possible === 'any') return 0;
  let bytes = 0;
  for (const words of [...possible.names.values(), possible.signed])
    for (const word of words) bytes += bytesOfMember + word.length;
  return bytes;
}

/** Bytes of a text beside its characters, and of its place in a set. */
const bytesOfMember = 48;

/** Characters that two pieces have in common: a name that one of them cuts, or a kind, is whole in the other. */
export const longestWord = 256;

/** Characters of a name: longer words are none. */
const longestName = 253;

/**
 * Collects the words of a text that comes in pieces: of a file that is too large to be parsed, nobody knows where a
 * document begins.
 */
export class WordCollector {
  readonly #names = new Map<KindName, Set<string>>();
  readonly #signed = new Set<string>();
  readonly #kinds = new Set<KindName>();
  #words = new Set<string>();
  #signs = false;
  #kept = 0;
  #tooMany = false;

  /** Adds a piece of a text whose documents are not known. Two pieces overlap by {@link longestWord}. */
  addPiece(piece: string): void {
    const text = unescaped(piece);
    this.add(text, kindsNamedIn(text));
  }

  /** Adds the current document. */
  add(text: string, kindsOfText: readonly KindName[]): void {
    for (const kind of kindsOfText) this.#kinds.add(kind);
    this.#signs ||= text.includes('providers');
    if (this.#tooMany) return;
    for (const [word] of text.matchAll(/[a-z0-9][a-z0-9.-]*/g)) {
      if (word.length > longestName) continue;
      this.#words.add(word);
      if (this.#words.size + this.#kept <= maxWords) continue;
      this.#tooMany = true;
      this.#words.clear();
      return;
    }
  }

  endDocument(): void {
    // What may define nothing of ours needs no words.
    if (!this.#tooMany && this.#kinds.size > 0) {
      const words = Array.from(this.#words, detached);
      this.#kept += words.length;
      for (const kind of this.#kinds) this.#names.set(kind, union(this.#names.get(kind), words));
      if (this.#signs && this.#kinds.has('MCPAuthPolicy')) union(this.#signed, words);
    }
    if (this.#tooMany && this.#kinds.size === 0) this.#tooMany = false;
    if (this.#tooMany) return;
    this.#kinds.clear();
    this.#words = new Set();
    this.#signs = false;
  }

  found(): PossibleObjects {
    return this.#tooMany ? 'any' : { names: this.#names, signed: this.#signed };
  }
}

function union(before: Set<string> | undefined, words: readonly string[]): Set<string> {
  const all = before ?? new Set<string>();
  for (const word of words) all.add(word);
  return all;
}

/** The kind of a document, if it is obvious, else each that is named in it. */
function kindsOf(document: string): readonly KindName[] {
  const found = obviousKind(document);
  if (found === undefined || found.kind === 'List') return kindsNamedIn(unescaped(document));
  const match = matchKind(found.apiVersion, found.kind);
  if (match.match !== 'foreign') return [match.kind];
  return match.message === undefined ? [] : kindNames;
}

function kindsNamedIn(text: string): readonly KindName[] {
  return kindNames.filter((kind) => text.includes(kind));
}

/** Replaces the escapes of double-quoted scalars by which a word can be spelt otherwise. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  return text
    .replaceAll(/\\(?:x([\da-f]{2})|u([\da-f]{4})|U0{4}([\da-f]{4}))/gi, (_, ...codes: (string | undefined)[]) =>
      String.fromCharCode(Number.parseInt(codes.find((code) => code !== undefined) ?? '', 16)),
    )
    .replaceAll(/\\\r?\n[ \t]*/g, '');
}
