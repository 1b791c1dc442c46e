import type { Clock, Counters, Logger, Random } from '../edges.ts';
import type { Commit } from '../graph/model.ts';
import type { Observation } from '../source/model.ts';
import type { Translation } from '../translate/model.ts';
import { type AskConnection, timedRequests } from './api/object-request.ts';
import { eventClient } from './events/event-client.ts';
import { EventRecorder, type Identify } from './events/event-recorder.ts';
import { NoticeTeller } from './events/notice-teller.ts';
import { tellRefusal } from './events/notices.ts';
import { defaultElectionTimes, Elector, type ElectorParts } from './leader/elector.ts';
import { type Leadership, soleLeadership } from './leader/leadership.ts';
import { type LeaseClient, leaseClient } from './leader/lease-client.ts';
import type { StatusKeeper } from './model.ts';
import { statusClient } from './writer/status-client.ts';
import { StatusBook, type StatusObject } from './writer/status-index.ts';
import { StatusWriter } from './writer/status-writer.ts';

export interface StatusKeeperParts {
  readonly translation: Translation;
  /** The way to the API server. */
  readonly connection: AskConnection;
  /** For Events: what the API server calls an object. */
  readonly identify: Identify;
  /** Whose ancestors and Events these are: `kgateway.dev/kgateway`. */
  readonly controllerName: string;
  /** What this replica is called. Two may be called the same: who holds the Lease has something of its own added. */
  readonly replica: string;
  /** What replicas elect a leader by; undefined: this process leads, whoever else runs. */
  readonly lease: { readonly namespace: string; readonly name: string } | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: Counters;
}

/** How long one request may take, in milliseconds: less than half of the time in which a Lease has to be renewed. */
const requestLimit = 4_000;

/**
 * Statuses by the leader of the replicas (Gateway API, comments on `status`; GEP-713), and Events by whoever knows of
 * something. Nothing is asked of the API server before `start`; whatever it answers, nothing here throws or ends.
 */
export function createStatusKeeper(parts: StatusKeeperParts): StatusKeeper {
  const { translation, connection, controllerName, replica, clock, random, counters } = parts;
  const log = parts.log.child({ stage: 'status' });
  const request = timedRequests(connection, clock, requestLimit);
  const book = new StatusBook(translation, controllerName);
  const tools = { clock, random, log, counters };
  const client = eventClient(request, { controller: controllerName, instance: replica });
  const recorder = new EventRecorder({ client, identify: parts.identify, ...tools });
  const write = statusClient(request);
  const writer = new StatusWriter({ book, write, mayWrite: () => leadership.leads(), ...tools });
  const teller = new NoticeTeller(translation, book, recorder);
  let synced = false;
  const begin = (): void => {
    writer.start();
    teller.all();
  };
  const changed = (leads: boolean): void => {
    if (!leads) {
      writer.stop();
      recorder.retract();
    } else if (synced) begin();
  };
  const leadership = leadershipBy(parts.lease && leaseClient(request, parts.lease), {
    identity: `${replica}_${Math.floor(random() * 2 ** 40).toString(16)}`,
    times: defaultElectionTimes,
    changed,
    ...tools,
  });
  return {
    start: () => {
      leadership.start();
      return async () => {
        recorder.stop();
        await leadership.stop();
      };
    },
    applied: (commit, observations) => {
      for (const observation of observations) book.observe(observation);
      if (!synced || !leadership.leads()) return;
      const objects = concerned(translation, commit, observations);
      writer.changed(objects);
      teller.some(commit, objects);
    },
    synced: () => {
      if (synced) return;
      synced = true;
      if (leadership.leads()) begin();
    },
    refused: (response) => {
      // A node may name any Gateway: on one of another controller's nothing is written.
      if (translation.gatewayStatuses.get(response.gateway) === undefined) return;
      recorder.record(tellRefusal(response));
    },
  };
}

function leadershipBy(lease: LeaseClient | undefined, parts: Omit<ElectorParts, 'lease'>): Leadership {
  return lease === undefined ? soleLeadership(parts) : new Elector({ lease, ...parts });
}

/** The objects whose status may have to be written because of a batch. */
function concerned(
  translation: Translation,
  commit: Commit,
  observations: readonly Observation[],
): readonly StatusObject[] {
  const { gatewayClassStatuses, gatewayStatuses, policyStatuses } = translation;
  const keys = {
    GatewayClass: new Set(commit.changes(gatewayClassStatuses).map(({ key }) => key)),
    Gateway: new Set(commit.changes(gatewayStatuses).map(({ key }) => key)),
    MCPAuthPolicy: new Set(commit.changes(policyStatuses).map(({ key }) => key)),
  };
  for (const { kind, key } of observations) keys[kind].add(key);
  return (['GatewayClass', 'Gateway', 'MCPAuthPolicy'] as const).flatMap((kind) =>
    [...keys[kind]].map((key) => ({ kind, key })),
  );
}
