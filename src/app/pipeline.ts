import type { Counters, Logger } from '../edges.ts';
import { createExplainer, type Explainer } from '../explain/explain.ts';
import { createGraph } from '../graph/graph.ts';
import type { Change, Commit, Graph } from '../graph/model.ts';
import type { Gateway } from '../resources/model.ts';
import type { Batch } from '../source/model.ts';
import type { Translation } from '../translate/model.ts';
import { createInputs, type Inputs, type TranslationSettings, translate } from '../translate/translate.ts';
import type { Dialect } from '../wire/model.ts';
import { dialects } from '../wire/wire.ts';
import { type EncodedSize, type Encoding, encode } from './encoding/encoding.ts';

/** The stages without I/O and without time: graph, translation, encoding, snapshots. */
export interface Pipeline extends Omit<Encoding, 'measure'> {
  readonly graph: Graph;
  readonly translation: Translation;
  /** Reads the collections when it is asked; it is no stage, and costs a commit nothing. */
  readonly explainer: Explainer;
  /** The objects as they were decoded, by kind. */
  readonly resources: Inputs['resources'];
  /** The encodings that are served. */
  readonly dialects: readonly Dialect[];
  /** The number of policies, valid or not. */
  policies(): number;
  /**
   * Applies a batch as one commit, then updates the snapshots and notifies their subscribers. Of a batch of which more
   * follows, both wait for the last part, but for what was taken away.
   *
   * @param publishing called between the two, with the changes of Gateways. If it throws, the snapshots change
   * nevertheless, since they would stay as they were for good, and it is called with the same changes again next time.
   */
  deliver(batch: Batch, publishing?: (gateways: readonly Change<Gateway>[]) => void): Delivery;
  /** Returns whether the initial state was read and translated; stays true. */
  synced(): boolean;
}

/** What became of a batch. */
interface Delivery {
  readonly commit: Commit;
  /** The number of resources that it encoded, by type URL. */
  readonly encoded: ReadonlyMap<string, number>;
  /** What was thrown after the commit, by `publishing` or a subscriber: everything else was done. */
  readonly failures: readonly unknown[];
}

/** Dependencies of the stages. */
export interface PipelineParts {
  readonly log: Logger;
  readonly counters: Counters;
  /** Called in each commit, between the translation and the encoding. */
  readonly translated?: () => void;
}

/** Builds and connects the stages. */
export function createPipeline(
  settings: TranslationSettings,
  { log, counters, translated = () => undefined }: PipelineParts,
): Pipeline {
  const graph = createGraph({
    onFailure: ({ collection, key, error }) => {
      counters.count('gatehouse_graph_failures_total', { collection });
      log.error('internal error: a transformation failed, and what it computes is withheld', {
        collection,
        key,
        error,
      });
    },
  });
  const inputs = createInputs(graph);
  const translation = translate(graph, inputs, settings);
  graph.checkpoint(translated);
  const sized = (type: string, { resources, bytes }: EncodedSize): void => {
    counters.gauge('gatehouse_snapshot_resources', resources, { type });
    counters.gauge('gatehouse_snapshot_bytes', bytes, { type });
  };
  const { snapshots, measure } = encode(graph, translation, sized, (lists) => {
    if (lists > 0) log.warn('lists of targets for nodes of agentgateway have no room and are empty', { lists });
    else log.info('all lists of targets for nodes of agentgateway have room again');
  });
  const { controllerName } = settings;
  const explainer = createExplainer({ ...inputs, translation, controllerName });
  let synced = false;
  let gatewayChanges: readonly Change<Gateway>[] = [];
  return {
    graph,
    translation,
    explainer,
    resources: inputs.resources,
    dialects,
    policies: () => inputs.resources.MCPAuthPolicy.size,
    snapshots,
    synced: () => synced,
    deliver: (batch, publishing) => {
      const commit = graph.commit(() => applyBatch(inputs, batch), { partial: batch.more === true });
      gatewayChanges = [...gatewayChanges, ...commit.changes(inputs.resources.Gateway)];
      const publish = (): void => {
        publishing?.(gatewayChanges);
        gatewayChanges = [];
      };
      const failures = failuresOf(...(batch.more ? [] : [publish]), () => snapshots.apply(commit, batch));
      const encoded = measure(commit);
      synced ||= batch.synced && batch.more !== true;
      counters.count('gatehouse_commits_total');
      counters.count('gatehouse_graph_runs_total', {}, commit.runs);
      for (const [type, count] of encoded) counters.count('gatehouse_wire_encodes_total', { type }, count);
      counters.gauge('gatehouse_synced', synced ? 1 : 0);
      counters.gauge('gatehouse_targets', translation.targets.size);
      counters.gauge('gatehouse_policies', translation.configs.size);
      counters.gauge('gatehouse_gateways', translation.gatewayStatuses.size);
      return { commit, encoded, failures };
    },
  };
}

/** Takes each of the steps, also after one that throws. Returns what was thrown. */
export function failuresOf(...steps: readonly (() => void)[]): readonly unknown[] {
  const failures: unknown[] = [];
  for (const step of steps) {
    try {
      step();
    } catch (error) {
      failures.push(error);
    }
  }
  return failures;
}

function applyBatch(inputs: Inputs, { changes, unlistedNamespaces, bundle, fetchedKeys = [] }: Batch): void {
  for (const change of changes) inputs.apply(change);
  for (const [uri, keys] of fetchedKeys) {
    if (keys === undefined) inputs.fetchedKeys.delete(uri);
    else inputs.fetchedKeys.set(uri, keys);
  }
  if (unlistedNamespaces !== undefined) inputs.unlistedNamespaces.set('', unlistedNamespaces);
  if (bundle !== undefined) inputs.bundle.set('', bundle);
}
