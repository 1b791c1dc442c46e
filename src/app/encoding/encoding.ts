import type { Collection, Commit, Graph } from '../../graph/model.ts';
import { createSnapshots, type SnapshotStore } from '../../snapshot/snapshot.ts';
import type { Translation } from '../../translate/model.ts';
import { agentgateway, mcpKgateway, versionOfAll } from '../../wire/wire.ts';
import { deriveAgentgateway } from './agentgateway.ts';
import { deriveMcpKgateway } from './mcp-kgateway.ts';

/** The stages after the translation: encoded resources, and the snapshots of them. */
export interface Encoding {
  readonly snapshots: SnapshotStore;
  /** Counts the resources that a commit encoded, by type URL. */
  encodes(commit: Commit): ReadonlyMap<string, number>;
}

/**
 * Appends the dialects to the graph, so that they are incremental like the translation. A change that leaves the encoded
 * bytes equal is not sent. The dialect of spring 2025 is encoded always, the one of agentgateway from the first request
 * of such a node on ([decision 19](../../../docs/decisions/0019-a-second-dialect.md)).
 */
export function encode(graph: Graph, translation: Translation): Encoding {
  const { types, encoded } = deriveMcpKgateway(graph, translation);
  let encodedLater: readonly Collection<unknown>[] = [];
  const snapshots = createSnapshots({
    gateways: translation.gateways,
    digest: versionOfAll,
    types,
    lazyTypes: [
      {
        type: agentgateway.resourceType,
        open: () => {
          const derived = deriveAgentgateway(graph, translation);
          encodedLater = derived.encoded;
          // The collections are filled by the next commit, here by one that changes nothing else.
          return { parts: derived.parts, commit: graph.commit(() => undefined) };
        },
      },
    ],
  });
  return {
    snapshots,
    encodes: (commit) =>
      new Map([
        [mcpKgateway.targetType.typeUrl, countEncoded(commit, encoded.targets)],
        [mcpKgateway.configType.typeUrl, countEncoded(commit, encoded.configs)],
        [
          agentgateway.resourceType.typeUrl,
          encodedLater.reduce((sum, collection) => sum + countEncoded(commit, collection), 0),
        ],
      ]),
  };
}

function countEncoded(commit: Commit, collection: Collection<unknown>): number {
  return commit.changes(collection).filter(({ after }) => after !== undefined).length;
}
