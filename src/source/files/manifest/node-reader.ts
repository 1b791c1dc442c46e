import { type Alias, isAlias, isMap, isScalar, type ParsedNode, Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import { AmbiguousScalar } from '../../../resources/resources.ts';
import { limits } from './limits.ts';
import { readPlain } from './plain-scalar.ts';
import { Unparsable } from './manifest-error.ts';

const CORE_TAG = 'tag:yaml.org,2002:';

/** An anchored node; without a value as long as we are inside of it. */
interface Anchor {
  readonly node: ParsedNode;
  readonly read: { readonly value: unknown; readonly size: number } | undefined;
}

/**
 * Makes plain values out of the nodes of one file: what `AmbiguousScalar` stands for, and everything with a tag that
 * is not known here, is understood by no decoder. So is a mapping with the key `<<`, which merges others into it for
 * YAML 1.1 and not for YAML 1.2. Throws `Unparsable`.
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

  /** The value of a document. Anchors do not outlive it. */
  document(contents: ParsedNode | null): unknown {
    this.#anchors = new Map();
    this.#targets = new Map();
    return this.#value(contents);
  }

  /** What an alias of the last document stands for. */
  target(alias: Alias): ParsedNode | undefined {
    return this.#targets.get(alias);
  }

  /** A key as a plain value has it; what is no scalar, as it is written. */
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
    const known = tag === undefined || tag === `${CORE_TAG}${isMap(node) ? 'map' : 'seq'}` || tag === '!';
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
      if (entries.has(text)) throw new Unparsable(startOf(pair.key), `The key ${JSON.stringify(text)} is there twice.`);
      const value = this.#value(pair.value);
      // What is no string to every reader of YAML: nobody knows what the value was meant for.
      const clear = typeof key !== 'object' && String(key) === text;
      entries.set(text, clear ? value : new AmbiguousScalar(text));
      merges ||= text === '<<' && !clear;
    }
    if (merges) return new AmbiguousScalar('a merge (<<)');
    // Own properties, `__proto__` too.
    return Object.fromEntries(entries);
  }

  #alias(alias: Alias.Parsed): unknown {
    this.#aliases += 1;
    if (this.#aliases > limits.aliases) throw new Unparsable(startOf(alias), `More than ${limits.aliases} aliases.`);
    const anchor = this.#anchors.get(alias.source);
    if (anchor === undefined)
      throw new Unparsable(startOf(alias), `No anchor &${alias.source} stands before its alias.`);
    if (anchor.read === undefined) throw new Unparsable(startOf(alias), `&${alias.source} contains itself.`);
    this.#targets.set(alias, anchor.node);
    this.#size += anchor.read.size;
    this.#unfolded += anchor.read.size;
    if (this.#unfolded > limits.unfoldedValues) {
      throw new Unparsable(startOf(alias), `The aliases stand for more than ${limits.unfoldedValues} values.`);
    }
    return anchor.read.value;
  }
}

function readScalar(node: Scalar): unknown {
  const text = String(node.value);
  const { tag } = node;
  if (tag === undefined) return node.type === Scalar.PLAIN ? readPlain(text) : text;
  if (tag === '!' || tag === `${CORE_TAG}str`) return text;
  const value = readPlain(text);
  return fits(value, tag) ? value : new AmbiguousScalar(`${shortTag(tag)} ${text}`);
}

function fits(value: unknown, tag: string): boolean {
  switch (tag) {
    case `${CORE_TAG}null`:
      return value === null;
    case `${CORE_TAG}bool`:
      return typeof value === 'boolean';
    case `${CORE_TAG}int`:
      return Number.isInteger(value);
    case `${CORE_TAG}float`:
      return typeof value === 'number';
    default:
      return false;
  }
}

function shortTag(tag: string): string {
  return tag.startsWith(CORE_TAG) ? `!!${tag.slice(CORE_TAG.length)}` : tag;
}

function startOf(node: ParsedNode): number {
  return node.range[0];
}
