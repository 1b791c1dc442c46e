import { createPipeline, type Pipeline } from '../../../src/app/pipeline.ts';
import type { ServeSettings } from '../../../src/app/settings.ts';
import { DiscoveryResponse } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import type { EncodedResource } from '../../../src/snapshot/model.ts';
import { parseManifest } from '../../../src/source/files/manifest/parse-manifest.ts';
import { ManifestStore } from '../../../src/source/files/manifest-store.ts';
import type { InputDiagnostic } from '../../../src/source/model.ts';
import type { TranslationSettings } from '../../../src/translate/model.ts';
import { createRecordedCounters } from '../edges/recorded-counters.ts';
import { createRecordedLog } from '../edges/recorded-log.ts';
import { type HeldResource, heldResources, readResource, type VersionedResources } from './held-resources.ts';
import { defaultSettings } from './translated-world.ts';

/** File contents by file name. */
export type Files = Readonly<Record<string, string>>;

/** The result of one read of some files in a new process, without a network and file watches. */
export interface FreshWorld {
  readonly pipeline: Pipeline;
  readonly problems: readonly InputDiagnostic[];
  /** The resources that a node of the Gateway receives. */
  resourcesOf(gateway: string): VersionedResources;
  /** The keys of the Gateway objects. */
  readonly gateways: readonly string[];
}

export type FreshSettings = TranslationSettings & Partial<Pick<ServeSettings, 'namespaces'>>;

/** Reads the files as one folder, once. */
export function createFreshWorld(files: Files, settings: FreshSettings = defaultSettings): FreshWorld {
  const log = createRecordedLog();
  const counters = createRecordedCounters();
  const world = new ManifestStore({ roots: ['folder'], log, counters });
  world.rootFound(0);
  for (const [name, text] of Object.entries(files)) {
    const path = `folder/${name}`;
    world.setFile({ root: 0, name, path, realPath: path }, parseManifest(text, settings.namespaces ?? []));
  }
  const pipeline = createPipeline(settings, { log, counters });
  const batch = world.takeBatch();
  if (batch !== undefined) pipeline.deliver(batch);
  return {
    pipeline,
    problems: world.diagnostics(),
    resourcesOf: (gateway) => {
      const views = [...pipeline.snapshots.of(gateway).views.values()];
      return heldResources(views.flatMap((view) => [...view.resources()].map(readEncoded)));
    },
    gateways: [...pipeline.snapshots.gateways()].sort(),
  };
}

function readEncoded({ typeUrl, name, version, sotwField }: EncodedResource): HeldResource {
  const [resource] = DiscoveryResponse.decode(sotwField).resources;
  if (resource === undefined) throw new Error(`${name} has no message`);
  const read = readResource(typeUrl, resource.value, version);
  if (read.key !== name) throw new Error(`${name} could never be removed: gateways file it as ${read.key}`);
  return read;
}
