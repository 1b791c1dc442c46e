import type { Scope } from './root-reader.ts';
import type { Mark } from './watch-plan.ts';

/** Of a root with more changed names than this, all is looked at: a storm of events costs no more than that. */
const MOST_NAMES = 1000;

/** What has to be looked at and was not yet. */
export class PendingMarks {
  #scopes = new Map<number, 'all' | Set<string>>();

  add({ root, entry }: Mark): void {
    const scope = this.#scopes.get(root);
    if (scope === 'all') return;
    if (entry === undefined || (scope !== undefined && scope.size >= MOST_NAMES)) this.#scopes.set(root, 'all');
    else if (scope === undefined) this.#scopes.set(root, new Set([entry]));
    else scope.add(entry);
  }

  /** Everything of this many roots. */
  addAll(roots: number): void {
    for (let root = 0; root < roots; root += 1) this.#scopes.set(root, 'all');
  }

  /** Hands over what is pending, and holds nothing afterwards. */
  take(): ReadonlyMap<number, Scope> {
    const taken = this.#scopes;
    this.#scopes = new Map();
    return taken;
  }
}
