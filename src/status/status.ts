import type { Clock, Counters, Logger, Random } from '../edges.ts';
import type { Collection, Commit } from '../graph/model.ts';
import type { Observation } from '../source/model.ts';
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
  const writer = new StatusWriter({ index, write: statusClient(send), mayWrite, onSuccess, ...edges });
  const notices = new NoticeReporter(translation, index, recorder);
  const keys = new ChangedKeys();
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
      keys.add(translation, commit, observations);
      if (more === true) return;
      writer.changed(keys.objects());
      notices.changed(keys);
      keys.clear();
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

/** The objects whose desired or observed status may have changed, or about which a notice has, in the parts of a change. */
class ChangedKeys {
  readonly GatewayClass = new Set<string>();
  readonly Gateway = new Set<string>();
  readonly MCPAuthPolicy = new Set<string>();
  readonly serviceNotices = new Set<string>();
  readonly policyNotices = new Set<string>();
  readonly keyNotices = new Set<string>();

  add(translation: Translation, commit: Commit, observations: readonly Observation[]): void {
    const addAll = (keys: Set<string>, ...collections: readonly Collection<unknown>[]): void => {
      for (const one of collections) for (const { key } of commit.changes(one)) keys.add(key);
    };
    addAll(this.GatewayClass, translation.gatewayClassStatuses);
    addAll(this.Gateway, translation.gatewayStatuses, translation.gatewaysWithoutClass);
    addAll(this.MCPAuthPolicy, translation.policyStatuses);
    addAll(this.serviceNotices, translation.serviceNotices);
    addAll(this.policyNotices, translation.policyNotices);
    addAll(this.keyNotices, translation.keyNotices);
    for (const { kind, key } of observations) this[kind].add(key);
  }

  /** Classes first, since the acceptance of the others depends on them. */
  objects(): readonly StatusObject[] {
    return (['GatewayClass', 'Gateway', 'MCPAuthPolicy'] as const).flatMap((kind) =>
      [...this[kind]].map((key) => ({ kind, key })),
    );
  }

  clear(): void {
    const { GatewayClass, Gateway, MCPAuthPolicy, serviceNotices, policyNotices, keyNotices } = this;
    for (const keys of [GatewayClass, Gateway, MCPAuthPolicy, serviceNotices, policyNotices, keyNotices]) keys.clear();
  }
}
