import type { View } from '../../snapshot/model.ts';
import { type Entry, EntryReader, type Span } from './reported-entries.ts';
import { ViewEntries } from './version-index.ts';
import { SharedCache } from './weak-cache.ts';

/** The resources that a node says it holds from an earlier stream, as it sent them. */
export interface Reported {
  /** Names and versions; an empty version says nothing but the name. */
  entries(): Iterable<readonly [name: string, version: string]>;
  /** What of it is as this View has it. */
  compare(view: View): Comparison;
}

/** What a node reports, beside a View. */
interface Comparison {
  /** How many of the View's resources the node holds as they are. */
  readonly same: number;
  /** Whether that of this name is one of them. */
  holds(name: string): boolean;
  /** Whatever else it reports: names that the View has not, or has in another version. */
  readonly others: ReadonlyMap<string, string>;
}

/** For how many Views the entries are kept: Gateways that see the same share one. */
const viewsKept = 8;

/**
 * Reads what nodes report without making an object of it. A fleet that reconnects reports everything it holds, and
 * nearly all of it is what it should be: so names and versions are compared where they lie in the message, and only what
 * deviates is ever kept.
 */
export class ReportReader {
  readonly #known = new SharedCache<ViewEntries>(viewsKept, () => 1);

  /** What the entries of a request report. */
  read(bytes: Buffer, spans: readonly Span[]): Reported {
    return {
      *entries() {
        const entries = new EntryReader(bytes, spans);
        while (entries.more()) {
          const entry = entries.read();
          yield [nameOf(bytes, entry), versionOf(bytes, entry)];
        }
      },
      compare: (view) => {
        const known = this.#known.get(view, () => new ViewEntries(view));
        return compare(bytes, new EntryReader(bytes, spans), known);
      },
    };
  }
}

/**
 * Nodes mostly report in the order in which they were told, and that is the View's: then whole stretches of the message
 * are just what a node that holds everything would say, and are compared at once.
 */
function compare(bytes: Buffer, entries: EntryReader, known: ViewEntries): Comparison {
  // By position and not counted up: a name that is reported twice is one, and the last time counts.
  const held = new Uint8Array(known.size);
  const others = new Map<string, string>();
  let expected = 0;
  while (entries.more()) {
    const stretch = known.stretchAt(expected, bytes, entries.at, entries.end);
    if (stretch !== undefined) {
      held.fill(1, expected, stretch.position);
      expected = stretch.position;
      entries.skip(stretch.length);
      continue;
    }
    const entry = entries.read();
    const position = known.find(bytes, entry.start, entry.end);
    if (position !== -1) {
      held[position] = 1;
      expected = position + 1;
    } else {
      const name = nameOf(bytes, entry);
      others.set(name, versionOf(bytes, entry));
      held[known.positionOf(name) ?? -1] = 0;
      expected += 1;
    }
  }
  for (const name of others.keys()) if (held[known.positionOf(name) ?? -1] === 1) others.delete(name);
  const same = held.reduce((sum, one) => sum + one, 0);
  return { same, others, holds: (name) => held[known.positionOf(name) ?? -1] === 1 };
}

function nameOf(bytes: Buffer, { nameStart, nameEnd }: Entry): string {
  return bytes.toString('utf8', nameStart, nameEnd);
}

function versionOf(bytes: Buffer, { versionStart, versionEnd }: Entry): string {
  return bytes.toString('utf8', versionStart, versionEnd);
}
