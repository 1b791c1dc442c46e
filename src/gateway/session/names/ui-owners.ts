import type { Clock, Logger } from '../../../edges.ts';
import { type JsonObject, objectIn } from '../../../json/json.ts';
import type { KeptEntries } from '../../../rate/kept-entries.ts';
import { LogThrottle } from '../../../rate/log-throttle.ts';
import { compareBytes } from './qualified-names.ts';
import { isUiUri } from './resource-uris.ts';

/**
 * Which target a `ui://` URI, the page of an MCP App, belongs to: the one with a tool that refers to it. A URI does not
 * contain its target, so a target could take over the page of another one; a URI that tools of two targets refer to
 * belongs to nobody. All sessions share this: a target keeps its URIs while it does not answer.
 */
export interface UiOwners {
  /** Takes over the pages that the tools of a target refer to, in place of those before; see {@link referredPages}. */
  toolsListed(target: string, pages: readonly string[]): void;
  /** Returns whether the tools of a target were listed. */
  isKnown(target: string): boolean;
  /** Returns the targets whose tools refer to a URI: its owner when it is one, nobody's when there are several. */
  claimants(uri: string): readonly string[];
  /** Call when a target was changed or removed. */
  forget(target: string): void;
}

/**
 * URIs per target, and UTF-16 code units of a URI; others belong to nobody. An app has one page for each tool at most.
 */
const maxUris = 1_000;
const maxUriLength = 2_000;

/** Starts without knowing any tool. */
export function createUiOwners(clock: Clock, log: Logger, kept: KeptEntries): UiOwners {
  const urisByTarget = new Map<string, ReadonlySet<string>>();
  /** The same by URI: a list asks for the claimants of each of its entries. */
  const targetsByUri = new Map<string, Set<string>>();
  const throttle = new LogThrottle(clock, log);

  const claimants = (uri: string): readonly string[] => [...(targetsByUri.get(uri) ?? [])];

  const forget = (target: string): void => {
    for (const uri of urisByTarget.get(target) ?? []) {
      const targets = targetsByUri.get(uri);
      targets?.delete(target);
      if (targets?.size === 0) targetsByUri.delete(uri);
    }
    urisByTarget.delete(target);
  };

  return {
    claimants,
    isKnown: (target) => urisByTarget.has(target),
    toolsListed(target, referred) {
      if (referred.length > maxUris) {
        const message = 'the tools of a target refer to more ui:// pages than it may own; the others cannot be read';
        throttle.failed(target, { reason: `more than ${maxUris} pages`, message, fields: { target } });
      }
      const wanted = [...new Set(referred.slice(0, maxUris))];
      const uris = new Set(kept.keeper(target, 'pages')(wanted, bytesOf));
      forget(target);
      urisByTarget.set(target, uris);
      for (const uri of uris) targetsByUri.set(uri, (targetsByUri.get(uri) ?? new Set()).add(target));
      const contested = [...uris].find((uri) => (targetsByUri.get(uri)?.size ?? 0) > 1);
      if (contested === undefined) return;
      throttle.failed('contested', {
        reason: contested.slice(0, maxLoggedUri),
        message:
          'a ui:// page belongs to nobody, because tools of several targets refer to it: rename it in one of them',
        fields: { targets: claimants(contested).toSorted(compareBytes).slice(0, maxLoggedTargets) },
      });
    },
    forget(target) {
      forget(target);
      throttle.forget(target);
    },
  };
}

/** Memory of a page: two bytes for each character, and its place in two indexes. */
function bytesOf(uri: string): number {
  return 400 + 2 * uri.length;
}

const maxLoggedUri = 200;
const maxLoggedTargets = 4;

const noPages: readonly string[] = [];

/**
 * Returns the pages that a tool refers to in the members of `_meta` that refer to one: MCP Apps (SEP-1865), its form
 * before 2026, and that of the OpenAI Apps SDK.
 */
export function referredPages(tool: JsonObject): readonly string[] {
  if (tool['_meta'] === undefined) return noPages;
  const meta = objectIn(tool, '_meta');
  const uris = [objectIn(meta, 'ui')['resourceUri'], meta['ui/resourceUri'], meta['openai/outputTemplate']];
  return uris.filter((uri) => typeof uri === 'string').filter((uri) => isUiUri(uri) && uri.length <= maxUriLength);
}

/** An entry of the merged list of resources. */
interface ListedResource {
  readonly target: string;
  /** The URI for clients. */
  readonly exposed: string;
}

/**
 * Finds the entries of pages that belong to another target, or that several targets list and none owns. A page that no
 * tool refers to is shown when one target lists it, although nobody can read it.
 */
export class ForeignPages {
  readonly #owners: Pick<UiOwners, 'claimants'>;
  /** By page, the only target that lists it; `undefined` when there are several. */
  readonly #listedBy = new Map<string, string | undefined>();

  constructor(owners: Pick<UiOwners, 'claimants'>) {
    this.#owners = owners;
  }

  /** Call it with each entry of the list first. */
  listed({ exposed, target }: ListedResource): void {
    if (!isUiUri(exposed)) return;
    const isOnly = !this.#listedBy.has(exposed) || this.#listedBy.get(exposed) === target;
    this.#listedBy.set(exposed, isOnly ? target : undefined);
  }

  has({ exposed, target }: ListedResource): boolean {
    if (!isUiUri(exposed)) return false;
    const claimants = this.#owners.claimants(exposed);
    const owner = claimants.length === 0 ? this.#listedBy.get(exposed) : claimants[0];
    return claimants.length > 1 || owner !== target;
  }
}
