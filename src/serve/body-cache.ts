import { SharedCache } from './shared-cache.ts';
import type { Part } from './variant.ts';

/** Response bodies that several streams send. Those that have yet to send one hold it as long. */
export class BodyCache extends SharedCache<readonly Part[]> {
  /** @param limit bytes of bodies to keep */
  constructor(limit: number) {
    super(limit, (parts) => parts.reduce((sum, { body }) => sum + body.length, 0));
  }
}
