import { isAlias, isMap, isSeq, type ParsedNode } from 'yaml';
import type { Path } from '../../../resources/model.ts';
import type { NodeReader } from './node-reader.ts';

/**
 * Where in the text a path of a document's value leads, as an offset: the key of an entry, the start of anything else.
 * Of what is not there, the nearest that is. An alias in the way leads on to where its anchor is.
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
