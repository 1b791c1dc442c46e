import { type Alias, isAlias, isMap, isScalar, isSeq, type ParsedNode, Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import { quoted, shortened } from '../../../json/quoted.ts';
import type { Path } from '../../../resources/model.ts';
import { AmbiguousScalar } from '../../../resources/resources.ts';
import { limits } from './limits.ts';
import { ManifestError } from './manifest-error.ts';
import { readPlain } from './plain-scalar.ts';

const coreTagPrefix = 'tag:yaml.org,2002:';

/** An anchored node; it has no value while its own content is read. */
interface Anchor {
  readonly node: ParsedNode;
  readonly read: { readonly value: unknown; readonly size: number } | undefined;
}

/**
 * Converts the nodes of one file to plain values. What YAML 1.1 and 1.2 read differently, such as a mapping with the
 * key `<<`, and nodes with an unknown tag become an `AmbiguousScalar`, which every decoder rejects. Throws
 * ManifestError.
 */
export class NodeReader {
  readonly #text: string;
  #aliases = 0;
  #unfolded = 0;
  #size = 0;
  #anchors = new Map<string, Anchor>();
  #targets = new Map<Alias, ParsedNode>();

  /** @param text of the whole file */
  constructor(text: string) {
    this.#text = text;
  }

  /** Reads the value of a document. Anchors are valid within one document. */
  document(contents: ParsedNode | null): unknown {
    this.#anchors = new Map();
    this.#targets = new Map();
    return this.#value(contents);
  }

  /** Returns the node that an alias of the last document refers to. */
  target(alias: Alias): ParsedNode | undefined {
    return this.#targets.get(alias);
  }

  /** Returns a key as a plain object has it; one that is no scalar as written. */
  keyText(node: ParsedNode | null): string {
    if (node === null) return '';
    const scalar = isAlias(node) ? this.#targets.get(node) : node;
    return isScalar(scalar) ? String(scalar.value) : this.#text.slice(node.range[0], node.range[1]);
  }

  #value(node: ParsedNode | null): unknown {
    if (node === null) return null;
    if (isAlias(node)) return this.#alias(node);
    const before = this.#size;
    const { anchor } = node;
    if (anchor !== undefined) this.#anchors.set(anchor, { node, read: undefined });
    this.#size += 1;
    const value = this.#content(node);
    if (anchor !== undefined) this.#anchors.set(anchor, { node, read: { value, size: this.#size - before } });
    return value;
  }

  #content(node: Exclude<ParsedNode, Alias.Parsed>): unknown {
    if (isScalar(node)) return readScalar(node);
    const value = isMap(node) ? this.#mapping(node) : this.#list(node);
    const { tag } = node;
    const known = tag === undefined || tag === `${coreTagPrefix}${isMap(node) ? 'map' : 'seq'}` || tag === '!';
    return known ? value : new AmbiguousScalar(shortTag(tag));
  }

  #list(node: YAMLSeq.Parsed): unknown {
    return node.items.map((item) => this.#value(item));
  }

  #mapping(node: YAMLMap.Parsed): unknown {
    const entries = new Map<string, unknown>();
    let merges = false;
    for (const pair of node.items) {
      const key = this.#value(pair.key);
      const text = this.keyText(pair.key);
      if (entries.has(text)) throw new ManifestError(startOf(pair.key), `The key ${quoted(text)} is there twice.`);
      const value = this.#value(pair.value);
      // A key that is not a string to every YAML reader: its value cannot be attributed.
      const unambiguous = typeof key !== 'object' && String(key) === text;
      entries.set(text, unambiguous ? value : new AmbiguousScalar(text));
      merges ||= text === '<<' && !unambiguous;
    }
    if (merges) return new AmbiguousScalar('a merge (<<)');
    // Object.fromEntries makes own properties, of `__proto__` too.
    return Object.fromEntries(entries);
  }

  #alias(alias: Alias.Parsed): unknown {
    this.#aliases += 1;
    if (this.#aliases > limits.aliases) throw new ManifestError(startOf(alias), `More than ${limits.aliases} aliases.`);
    const anchor = this.#anchors.get(alias.source);
    if (anchor === undefined)
      throw new ManifestError(startOf(alias), `No anchor &${shortened(alias.source)} stands before its alias.`);
    if (anchor.read === undefined)
      throw new ManifestError(startOf(alias), `&${shortened(alias.source)} contains itself.`);
    this.#targets.set(alias, anchor.node);
    this.#size += anchor.read.size;
    this.#unfolded += anchor.read.size;
    if (this.#unfolded > limits.unfoldedValues) {
      throw new ManifestError(startOf(alias), `The aliases stand for more than ${limits.unfoldedValues} values.`);
    }
    return anchor.read.value;
  }
}

function readScalar(node: Scalar): unknown {
  const text = String(node.value);
  const { tag } = node;
  if (tag === undefined) return node.type === Scalar.PLAIN ? readPlain(text) : text;
  if (tag === '!' || tag === `${coreTagPrefix}str`) return text;
  const value = readPlain(text);
  return fits(value, tag) ? value : new AmbiguousScalar(`${shortTag(tag)} ${text}`);
}

function fits(value: unknown, tag: string): boolean {
  switch (tag) {
    case `${coreTagPrefix}null`:
      return value === null;
    case `${coreTagPrefix}bool`:
      return typeof value === 'boolean';
    case `${coreTagPrefix}int`:
      return Number.isInteger(value);
    case `${coreTagPrefix}float`:
      return typeof value === 'number';
    default:
      return false;
  }
}

function shortTag(tag: string): string {
  return tag.startsWith(coreTagPrefix) ? `!!${tag.slice(coreTagPrefix.length)}` : tag;
}

function startOf(node: ParsedNode): number {
  return node.range[0];
}

/**
 * Returns the offset of a path within a document: the key of an entry, the start of anything else; of a missing value
 * that of the nearest ancestor. Follows aliases to their anchors.
 */
export function offsetOf(contents: ParsedNode, path: Path, reader: NodeReader): number {
  let node: ParsedNode | null = contents;
  let offset = contents.range[0];
  for (const step of path) {
    if (node !== null && isAlias(node)) node = reader.target(node) ?? null;
    if (isMap(node)) {
      const pair: { readonly key: ParsedNode; readonly value: ParsedNode | null } | undefined = node.items.find(
        ({ key }) => reader.keyText(key) === step,
      );
      if (pair === undefined) return offset;
      offset = pair.key.range[0];
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number') {
      const item: ParsedNode | undefined = node.items[step];
      if (item === undefined) return offset;
      offset = item.range[0];
      node = item;
    } else return offset;
  }
  return offset;
}
