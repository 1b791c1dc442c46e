import { DeltaDiscoveryRequest } from '../gen/envoy/service/discovery/v3/discovery.ts';
import type { EncodedResource, View } from '../snapshot/model.ts';
import { type Entry, entriesIn, entrySpans, type Span } from './reported-entries.ts';
import { SharedCache } from './shared-cache.ts';

/** The resources that a node says it holds from an earlier stream, as it sent them. */
export interface Reported {
  /** Names and versions; an empty version says nothing but the name. */
  entries(): Iterable<readonly [name: string, version: string]>;
  /** What of it is as this View has it. */
  compare(view: View): Comparison;
}

/** What a node reports, beside a View. */
export interface Comparison {
  /** How many of the View's resources the node holds as they are. */
  readonly same: number;
  /** Whether that of this name is one of them. */
  holds(name: string): boolean;
  /** Whatever else it reports: names that the View has not, or has in another version. */
  readonly others: ReadonlyMap<string, string>;
}

/** The positions of a View's resources. */
interface Positions {
  readonly resources: readonly EncodedResource[];
  readonly byName: ReadonlyMap<string, number>;
}

/** For how many Views positions are kept: Gateways that see the same share one. */
const viewsKept = 8;

/**
 * Reads requests without making an object of what a node reports. A fleet that reconnects reports everything it holds,
 * and nearly all of it is what it should be: so names and versions are compared where they lie in the message, and
 * only what deviates is ever kept.
 */
export class ReportReader {
  readonly #positions = new SharedCache<Positions>(viewsKept, () => 1);

  /** The request, and what it reports if anything. Throws for bytes that are no request. */
  read(bytes: Buffer): { readonly message: DeltaDiscoveryRequest; readonly reported: Reported | undefined } {
    const spans = entrySpans(bytes);
    if (spans !== undefined) {
      return { message: DeltaDiscoveryRequest.decode(without(bytes, spans)), reported: this.#reported(bytes, spans) };
    }
    const message = DeltaDiscoveryRequest.decode(bytes);
    return { message, reported: this.of(message.initialResourceVersions) };
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
        for (const { nameStart, nameEnd, versionStart, versionEnd } of entriesIn(bytes, spans)) {
          yield [bytes.toString('utf8', nameStart, nameEnd), bytes.toString('utf8', versionStart, versionEnd)];
        }
      },
      compare: (view) => {
        const positions = this.#positions.get(view, () => positionsOf(view));
        return compare(bytes, entriesIn(bytes, spans), positions);
      },
    };
  }
}

function positionsOf(view: View): Positions {
  const resources = [...view.resources()];
  return { resources, byName: new Map(resources.map(({ name }, position) => [name, position])) };
}

function compare(bytes: Buffer, entries: Iterable<Entry>, { resources, byName }: Positions): Comparison {
  // By position and not counted up: a name that is reported twice is one, and the last time counts.
  const held = new Uint8Array(resources.length);
  const others = new Map<string, string>();
  let same = 0;
  for (const entry of entries) {
    const name = bytes.toString('utf8', entry.nameStart, entry.nameEnd);
    const position = byName.get(name);
    const version = position === undefined ? undefined : resources[position]?.version;
    const holds = version !== undefined && isText(bytes, entry.versionStart, entry.versionEnd, version);
    if (position !== undefined) {
      same += Number(holds) - (held[position] ?? 0);
      held[position] = Number(holds);
    }
    if (!holds) others.set(name, bytes.toString('utf8', entry.versionStart, entry.versionEnd));
    else if (others.size > 0) others.delete(name);
  }
  return { same, others, holds: (name) => held[byName.get(name) ?? -1] === 1 };
}

/** Versions are ASCII: a byte is a character. */
function isText(bytes: Buffer, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let at = 0; at < text.length; at += 1) if (bytes[start + at] !== text.charCodeAt(at)) return false;
  return true;
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
