import type { Change, Collection, Commit, Graph } from '../../graph/model.ts';
import type { PlacedResource } from '../../snapshot/model.ts';
import { createSnapshots, type SnapshotStore } from '../../snapshot/snapshot.ts';
import type { Translation } from '../../translate/model.ts';
import type { EncodedResource } from '../../wire/model.ts';
import { agentgateway, mcpKgateway, versionOfAll } from '../../wire/wire.ts';
import { deriveAgentgateway } from './agentgateway.ts';
import { deriveMcpKgateway } from './mcp-kgateway.ts';

/** The stages after the translation: encoded resources, and the snapshots of them. */
export interface Encoding {
  readonly snapshots: SnapshotStore;
  /**
   * Updates the sizes by a commit, and returns the number of resources that it encoded, by type URL. Call it once for
   * each; the one that opens a type has been counted.
   */
  measure(commit: Commit): ReadonlyMap<string, number>;
}

/** The encoded resources of a type, each counted once however many Gateways share it. */
export interface EncodedSize {
  readonly resources: number;
  /** Bytes of their delta fields. */
  readonly bytes: number;
}

/** The changes of one collection of encoded resources in a commit. */
type EncodedChanges = (commit: Commit) => readonly Change<EncodedResource>[];

/** The encoded resources of one type: what changes them, and how much they are. */
interface EncodedType {
  readonly typeUrl: string;
  changes: readonly EncodedChanges[];
  size: EncodedSize;
}

/**
 * Appends the dialects to the graph, so that they are incremental like the translation. A change that leaves the encoded
 * bytes equal is not sent. The dialect of spring 2025 is encoded always, the one of agentgateway from the first request
 * of such a node on ([decision 19](../../../docs/decisions/0019-a-second-dialect.md)).
 *
 * @param sized called when the size of a type has changed
 * @param crowded called when the number of lists of targets of agentgateway's dialect that have no room has changed
 */
export function encode(
  graph: Graph,
  translation: Translation,
  sized: (typeUrl: string, size: EncodedSize) => void = () => undefined,
  crowded: (lists: number) => void = () => undefined,
): Encoding {
  const { types, encoded } = deriveMcpKgateway(graph, translation);
  const resources: EncodedType = encodedType(agentgateway.resourceType.typeUrl, []);
  const encodedTypes = [
    encodedType(mcpKgateway.targetType.typeUrl, [encodedIn(encoded.targets)]),
    encodedType(mcpKgateway.configType.typeUrl, [encodedIn(encoded.configs)]),
    resources,
  ];
  let lists: Collection<true> | undefined;
  let withoutRoom = 0;
  const measure = (commit: Commit, type: EncodedType): number => {
    const { size, encoded, changed } = measured(commit, type);
    if (lists !== undefined && lists.size !== withoutRoom) {
      withoutRoom = lists.size;
      crowded(withoutRoom);
    }
    type.size = size;
    if (changed) sized(type.typeUrl, size);
    return encoded;
  };
  const snapshots = createSnapshots({
    gateways: translation.gateways,
    digest: versionOfAll,
    types,
    lazyTypes: [
      {
        type: agentgateway.resourceType,
        open: () => {
          const derived = deriveAgentgateway(graph, translation);
          resources.changes = derived.encoded.map(placedIn);
          lists = derived.crowded;
          // The collections are filled by the next commit, here by one that changes nothing else.
          const commit = graph.commit(() => undefined);
          measure(commit, resources);
          return { parts: derived.parts, commit };
        },
      },
    ],
  });
  return {
    snapshots,
    measure: (commit) => new Map(encodedTypes.map((type) => [type.typeUrl, measure(commit, type)])),
  };
}

function encodedType(typeUrl: string, changes: readonly EncodedChanges[]): EncodedType {
  return { typeUrl, changes, size: { resources: 0, bytes: 0 } };
}

function encodedIn(collection: Collection<EncodedResource>): EncodedChanges {
  return (commit) => commit.changes(collection);
}

function placedIn(collection: Collection<PlacedResource>): EncodedChanges {
  return (commit) =>
    commit
      .changes(collection)
      .map(({ key, before, after }) => ({ key, before: before?.resource, after: after?.resource }));
}

/** Walks once through what a commit changed of a type: a commit may change everything. */
function measured(
  commit: Commit,
  { changes, size }: EncodedType,
): { readonly size: EncodedSize; readonly encoded: number; readonly changed: boolean } {
  let { resources, bytes } = size;
  let [encoded, changed] = [0, false];
  for (const changesIn of changes) {
    for (const { before, after } of changesIn(commit)) {
      changed = true;
      if (after !== undefined) encoded += 1;
      resources += (after === undefined ? 0 : 1) - (before === undefined ? 0 : 1);
      bytes += (after?.deltaField.length ?? 0) - (before?.deltaField.length ?? 0);
    }
  }
  return { size: { resources, bytes }, encoded, changed };
}
