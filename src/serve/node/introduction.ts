import { Node } from '../../gen/envoy/config/core/v3/base.ts';
import { bounded } from '../request/bounded-text.ts';

/** How much of what a node says of itself is kept, for whoever asks who is connected; bytes. */
const limit = 16 * 1024;

/**
 * A node as it introduced itself. One that says more than 16 KiB is known by its id only, 256 characters of it.
 *
 * @param bytes the size of the request that it did it in
 */
export function keptIntroduction(node: Node | undefined, bytes: number): Node {
  if (node === undefined) return Node.create();
  // What is no larger with everything around it needs no measuring by itself.
  return bytes <= limit || Node.encode(node).finish().length <= limit
    ? node
    : Node.create({ id: bounded(node.id, 256) });
}
