import { createGraph } from '../../../src/graph/graph.ts';
import type { Commit, Graph } from '../../../src/graph/model.ts';
import type { KindName, Problem, Resource, ResourceByKind } from '../../../src/resources/model.ts';
import { decode, resourceKey } from '../../../src/resources/resources.ts';
import type { Translation, TranslationSettings, UnlistedNamespaces } from '../../../src/translate/model.ts';
import { createInputs, type Inputs, translate } from '../../../src/translate/translate.ts';

/** A manifest as a user writes it, not validated. */
export interface Manifest {
  readonly kind: KindName;
  readonly [field: string]: unknown;
}

/** The decoded form of one manifest: an object under its key, or none. */
export interface Reading {
  readonly kind: KindName;
  readonly key: string;
  readonly resource: Resource | undefined;
  readonly problems: readonly Problem[];
}

/** The translation over a checked graph, which runs every function twice, compares results and freezes all values. */
export interface TranslatedWorld {
  readonly graph: Graph;
  readonly inputs: Inputs;
  readonly translation: Translation;
  /** Applies manifests in one commit; they replace objects of the same key. */
  apply(...manifests: readonly Manifest[]): Commit;
  /** The same, as a part of a change of which more follows. */
  applyPart(...manifests: readonly Manifest[]): Commit;
  remove(kind: KindName, key: string): Commit;
  setUnlisted(unlisted: UnlistedNamespaces): Commit;
}

/** The default settings of the command line. */
export const defaultSettings: TranslationSettings = {
  controllerName: 'kgateway.dev/kgateway',
  clusterDomain: 'cluster.local',
  externalNameServices: true,
  allowLoopbackTargets: false,
};

/** A world without objects, in which an unlisted namespace has its name label only, as in file mode. */
export function createTranslatedWorld(settings: Partial<TranslationSettings> = {}, check = true): TranslatedWorld {
  const graph = createGraph({ check });
  const inputs = createInputs(graph);
  const translation = translate(graph, inputs, { ...defaultSettings, ...settings });
  const commit = (manifests: readonly Manifest[], partial: boolean): Commit => {
    const readings = manifests.map(readManifest);
    const apply = (): void => {
      for (const reading of readings) inputs.apply(reading);
    };
    return graph.commit(apply, { partial });
  };
  const world: TranslatedWorld = {
    graph,
    inputs,
    translation,
    apply: (...manifests) => commit(manifests, false),
    applyPart: (...manifests) => commit(manifests, true),
    remove: (kind, key) => graph.commit(() => inputs.apply({ kind, key, resource: undefined })),
    setUnlisted: (unlisted) => graph.commit(() => inputs.unlistedNamespaces.set('', unlisted)),
  };
  world.setUnlisted('named');
  return world;
}

/** Decodes a manifest as `serve` does. A Namespace whose metadata is invalid has unknown labels. */
export function readManifest(manifest: Manifest): Reading {
  const { kind } = manifest;
  const decoded = decode<KindName>(kind, manifest);
  const { problems } = decoded;
  if (decoded.readable)
    return { kind, key: resourceKey(decoded.resource.metadata), resource: decoded.resource, problems };
  const name = decoded.name ?? '';
  const key = resourceKey({ namespace: decoded.namespace ?? '', name });
  return { kind, key, resource: kind === 'Namespace' ? unknownLabels(name) : undefined, problems };
}

function unknownLabels(name: string): ResourceByKind['Namespace'] {
  return { kind: 'Namespace', metadata: { namespace: '', name, generation: undefined }, labels: { known: false } };
}
