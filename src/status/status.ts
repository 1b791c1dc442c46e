import type { Clock, Counters, Logger, Random } from '../edges.ts';
import type { Collection, Commit } from '../graph/model.ts';
import type { Observation, StatusKind } from '../source/model.ts';
import type { Translation } from '../translate/model.ts';
import { type AskConnection, objectRequests } from './api/object-request.ts';
import { eventClient } from './events/event-client.ts';
import { EventRecorder, type Identify } from './events/event-recorder.ts';
import { deniedEvent, NoticeReporter, rejectionEvent } from './events/notices.ts';
import { defaultElectionTimes, Elector, type ElectorParts } from './leader/elector.ts';
import { type Leadership, soleLeadership } from './leader/leadership.ts';
import { type LeaseClient, leaseClient } from './leader/lease-client.ts';
import type { StatusManager } from './model.ts';
import { statusClient } from './writer/status-client.ts';
import { StatusIndex, type StatusObject } from './writer/status-index.ts';
import { StatusWriter } from './writer/status-writer.ts';

/** Settings and dependencies of the status manager. */
export interface StatusManagerParts {
  readonly translation: Translation;
  readonly connection: AskConnection;
  readonly identify: Identify;
  /** The controller that owns the statuses and reports the Events, such as `kgateway.dev/kgateway`. */
  readonly controllerName: string;
  /**
   * The name of this replica. The holder identity of the Lease adds a random part, so that names need not be unique.
   */
  readonly replica: string;
  /** The Lease that elects the leader; undefined: this process leads without an election. */
  readonly lease: { readonly namespace: string; readonly name: string } | undefined;
  /** Called when this replica begins to write: what only the leader needs is computed from now on. */
  readonly leading: () => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: Counters;
}

/** Timeout of one request, in milliseconds: less than half of the renew deadline of the Lease. */
const requestTimeout = 4_000;

/**
 * Creates the status manager: the leader writes statuses (Gateway API, comments on `status`; GEP-713), every replica
 * records Events of its nodes. It sends no request before `start`, and neither throws nor ends when requests fail.
 */
export function createStatusManager(parts: StatusManagerParts): StatusManager {
  const { translation, connection, controllerName, replica, clock, random, counters } = parts;
  const log = parts.log.child({ stage: 'status' });
  const send = objectRequests(connection, clock, requestTimeout);
  const index = new StatusIndex(translation, controllerName);
  const edges = { clock, random, log, counters };
  const client = eventClient(send, { controller: controllerName, instance: replica });
  const recorder = new EventRecorder({ client, identify: parts.identify, ...edges });
  const { onSuccess } = connection;
  const mayWrite = (): boolean => leadership.leads();
  const keys = new ChangedKeys(translation);
  const { postpones } = keys;
  const writer = new StatusWriter({ index, write: statusClient(send), postpones, mayWrite, onSuccess, ...edges });
  const notices = new NoticeReporter(translation, index, recorder);
  let synced = false;
  const leads = (): boolean => synced && leadership.leads();
  const startTerm = (): void => {
    writer.start();
    notices.all();
    parts.leading();
  };
  const changed = (leads: boolean): void => {
    if (!leads) {
      writer.stop();
      recorder.dropLeaderEvents();
    } else if (synced) startTerm();
  };
  const leadership = createLeadership(parts.lease && leaseClient(send, parts.lease), {
    identity: `${replica}_${Math.floor(random() * 2 ** 40).toString(16)}`,
    times: defaultElectionTimes,
    changed,
    ...edges,
  });
  return {
    start: () => {
      leadership.start();
      return async () => {
        recorder.stop();
        await leadership.stop();
      };
    },
    applied: (commit, observations, more) => {
      for (const observation of observations) index.observe(observation);
      // What begins to lead compares everything.
      if (!leads()) return keys.clear();
      keys.add(commit, observations);
      if (more === true) return;
      const changed = keys.take();
      writer.changed(objectsOf(changed));
      const known = [...changed.MCPAuthPolicy].filter((key) => !postpones({ kind: 'MCPAuthPolicy', key }));
      notices.changed({ ...changed, MCPAuthPolicy: known });
    },
    synced: () => {
      if (synced) return;
      synced = true;
      if (leads()) startTerm();
    },
    leads,
    denied: (claim) => {
      const { gateway } = claim;
      if (gateway === undefined || translation.gatewayStatuses.get(gateway) === undefined) return;
      recorder.record(deniedEvent(claim, gateway));
    },
    rejected: (response) => {
      // A node may name any Gateway: no Events are recorded on one of another controller.
      if (translation.gatewayStatuses.get(response.gateway) === undefined) return;
      recorder.record(rejectionEvent(response));
    },
    hinted: (hints) => {
      if (leads()) notices.hinted(hints);
    },
  };
}

function createLeadership(lease: LeaseClient | undefined, parts: Omit<ElectorParts, 'lease'>): Leadership {
  return lease === undefined ? soleLeadership(parts) : new Elector({ lease, ...parts });
}

/** The keys of objects whose desired or observed status may have changed, or about which a notice has. */
type Keys = Readonly<Record<StatusKind | 'serviceNotices' | 'policyNotices' | 'keyNotices', Set<string>>>;

function noKeys(): Keys {
  return {
    GatewayClass: new Set(),
    Gateway: new Set(),
    MCPAuthPolicy: new Set(),
    serviceNotices: new Set(),
    policyNotices: new Set(),
    keyNotices: new Set(),
  };
}

/** Classes first, since the acceptance of the others depends on them. */
function objectsOf(keys: Keys): readonly StatusObject[] {
  return (['GatewayClass', 'Gateway', 'MCPAuthPolicy'] as const).flatMap((kind) =>
    [...keys[kind]].map((key) => ({ kind, key })),
  );
}

const statusesOf = {
  GatewayClass: 'gatewayClassStatuses',
  Gateway: 'gatewayStatuses',
  MCPAuthPolicy: 'policyStatuses',
} as const;

/** What changed in the parts of a change, and the objects whose desired status is not known yet. */
class ChangedKeys {
  readonly #translation: Translation;
  #keys = noKeys();

  constructor(translation: Translation) {
    this.#translation = translation;
  }

  add(commit: Commit, observations: readonly Observation[]): void {
    const translation = this.#translation;
    const addAll = (keys: Set<string>, ...collections: readonly Collection<unknown>[]): void => {
      for (const one of collections) for (const { key } of commit.changes(one)) keys.add(key);
    };
    const { GatewayClass, Gateway, MCPAuthPolicy, serviceNotices, policyNotices, keyNotices } = this.#keys;
    addAll(GatewayClass, translation.gatewayClassStatuses);
    addAll(Gateway, translation.gatewayStatuses, translation.gatewaysWithoutClass);
    addAll(MCPAuthPolicy, translation.policyStatuses);
    addAll(serviceNotices, translation.serviceNotices);
    addAll(policyNotices, translation.policyNotices);
    addAll(keyNotices, translation.keyNotices);
    for (const { kind, key } of observations) this.#keys[kind].add(key);
  }

  /** Returns whether the desired status of an object is not known now. It is among the keys then, until it is. */
  readonly postpones = ({ kind, key }: StatusObject): boolean => {
    if (!this.#translation[statusesOf[kind]].isPostponed(key)) return false;
    this.#keys[kind].add(key);
    return true;
  };

  /** Returns all keys, and begins anew. */
  take(): Keys {
    const taken = this.#keys;
    this.#keys = noKeys();
    return taken;
  }

  clear(): void {
    this.#keys = noKeys();
  }
}
