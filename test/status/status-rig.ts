import type { Observation, StatusKind } from '../../src/source/model.ts';
import type { StatusManager } from '../../src/status/model.ts';
import { createStatusManager } from '../../src/status/status.ts';
import type { StatusApiServer } from '../support/api-server/status-api-server.ts';
import type { ManualClock } from '../support/edges/manual-clock.ts';
import { createRecordedCounters, type RecordedCounters } from '../support/edges/recorded-counters.ts';
import { createRecordedLog, type RecordedLog } from '../support/edges/recorded-log.ts';
import { createTranslatedWorld, type Manifest } from '../support/worlds/translated-world.ts';
import { controllerName } from './conditions/stored-statuses.ts';

const plurals: Readonly<Record<StatusKind, string>> = {
  GatewayClass: 'gateway.networking.k8s.io/v1/gatewayclasses',
  Gateway: 'gateway.networking.k8s.io/v1/namespaces/default/gateways',
  MCPAuthPolicy: 'gateway.kgateway.dev/v1alpha1/namespaces/default/mcpauthpolicies',
};

/** The API path of an object of the namespace `default`. */
export function pathOf(kind: StatusKind, name: string): string {
  return `/apis/${plurals[kind]}/${name}`;
}

export const eventsPath = '/apis/events.k8s.io/v1/namespaces/default/events';
export const leasePath = '/apis/coordination.k8s.io/v1/namespaces/system/leases/leader';

/** A replica whose status manager writes to an API server. */
export interface ManagerRig {
  readonly manager: StatusManager;
  readonly log: RecordedLog;
  readonly counters: RecordedCounters;
  /** How often this replica has begun to lead. */
  readonly terms: () => number;
  /** Commits manifests with the observations that a watch would deliver. */
  apply(...manifests: readonly Manifest[]): void;
  /** The same, as a part of a change of which more follows. */
  applyPart(...manifests: readonly Manifest[]): void;
  /** Delivers an observation without a change of the manifest. */
  observe(kind: StatusKind, name: string): void;
}

/** @param elected false: leads without a Lease */
export function createManagerRig(
  api: StatusApiServer,
  clock: ManualClock,
  replica: string,
  elected = true,
): ManagerRig {
  const world = createTranslatedWorld({}, false);
  const log = createRecordedLog();
  const counters = createRecordedCounters();
  let terms = 0;
  const manager = createStatusManager({
    translation: world.translation,
    connection: api.connection,
    identify: (kind, key) => ({ uid: `uid of ${kind} ${key}` }),
    controllerName,
    replica,
    lease: elected ? { namespace: 'system', name: 'leader' } : undefined,
    leading: () => {
      terms += 1;
    },
    clock,
    random: Math.random,
    log,
    counters,
  });
  const apply = (manifests: readonly Manifest[], more: boolean): void => {
    const commit = more ? world.applyPart(...manifests) : world.apply(...manifests);
    const observations = manifests.flatMap((manifest) => observationOf(api, manifest.kind, nameOf(manifest)));
    manager.applied(commit, observations, more);
  };
  return {
    manager,
    log,
    counters,
    terms: () => terms,
    apply: (...manifests) => apply(manifests, false),
    applyPart: (...manifests) => apply(manifests, true),
    observe: (kind, name) => manager.applied(world.apply(), observationOf(api, kind, name)),
  };
}

/** Stores manifests in the API server, like a user's `kubectl apply`. */
export function store(api: StatusApiServer, ...manifests: readonly Manifest[]): void {
  for (const manifest of manifests) {
    if (hasStatus(manifest.kind)) api.put(pathOf(manifest.kind, nameOf(manifest)), manifest);
  }
}

export function statusOf(api: StatusApiServer, kind: StatusKind, name: string): unknown {
  return api.object(pathOf(kind, name))?.['status'];
}

function observationOf(api: StatusApiServer, kind: string, name: string): readonly Observation[] {
  if (!hasStatus(kind)) return [];
  const key = kind === 'GatewayClass' ? name : `default/${name}`;
  const stored = api.object(pathOf(kind, name));
  if (stored === undefined) return [{ kind, key, object: undefined }];
  const { uid, resourceVersion, generation } = Object(stored['metadata']);
  return [{ kind, key, object: { uid, resourceVersion, generation, status: stored['status'] } }];
}

function hasStatus(kind: string): kind is StatusKind {
  return kind in plurals;
}

function nameOf({ metadata }: Manifest): string {
  return String(Object(metadata).name);
}
