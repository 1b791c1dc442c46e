import { DeltaDiscoveryRequest } from '../gen/envoy/service/discovery/v3/discovery.ts';
import type { View } from '../snapshot/model.ts';
import { type Entry, EntryReader, entrySpans, type Span } from './reported-entries.ts';
import { SharedCache } from './shared-cache.ts';
import { ViewEntries } from './view-entries.ts';

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

/** A request without what it reports, and that. */
export interface ReadRequest {
  readonly message: DeltaDiscoveryRequest;
  readonly reported: Reported | undefined;
}

/** For how many Views the entries are kept: Gateways that see the same share one. */
const viewsKept = 8;

/**
 * Reads requests without making an object of what a node reports. A fleet that reconnects reports everything it holds,
 * and nearly all of it is what it should be: so names and versions are compared where they lie in the message, and
 * only what deviates is ever kept.
 */
export class ReportReader {
  readonly #known = new SharedCache<ViewEntries>(viewsKept, () => 1);

  /**
   * The request, and what it reports if anything. Throws for bytes that are no request.
   *
   * @param excessive looks at what is to be decoded; nothing is, and there is no answer, when it is too much
   */
  read(bytes: Buffer, excessive: (bytes: Buffer) => boolean = () => false): ReadRequest | undefined {
    const spans = entrySpans(bytes);
    const rest = spans === undefined ? bytes : without(bytes, spans);
    if (excessive(rest)) return undefined;
    const message = DeltaDiscoveryRequest.decode(rest);
    const reported = spans === undefined ? this.of(message.initialResourceVersions) : this.#reported(bytes, spans);
    return { message, reported };
  }

  /** The same of versions that were read already. */
  of(initialResourceVersions: Readonly<Record<string, string>>): Reported | undefined {
    const request = DeltaDiscoveryRequest.fromPartial({ initialResourceVersions });
    const bytes = Buffer.from(DeltaDiscoveryRequest.encode(request).finish());
    return this.#reported(bytes, bytes.length === 0 ? [] : [{ start: 0, end: bytes.length }]);
  }

  #reported(bytes: Buffer, spans: readonly Span[]): Reported | undefined {
    if (spans.length === 0) return undefined;
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

function without(bytes: Buffer, spans: readonly Span[]): Buffer {
  if (spans.length === 0) return bytes;
  const rest: Buffer[] = [];
  let from = 0;
  for (const { start, end } of spans) {
    rest.push(bytes.subarray(from, start));
    from = end;
  }
  return Buffer.concat([...rest, bytes.subarray(from)]);
}
