import type { Collection } from '../../../src/graph/model.ts';
import { asJsonObject, objectsOf } from '../../../src/json/json.ts';
import { StatusIndex, type StatusObject } from '../../../src/status/writer/status-index.ts';
import { StatusWriter } from '../../../src/status/writer/status-writer.ts';
import type { GatewayClassStatus, GatewayStatus, PolicyStatus } from '../../../src/translate/model.ts';
import { createObjectsInMemory, type ObjectsInMemory } from '../../support/api-server/status-objects.ts';
import { settled } from '../../support/api-server/status-settled.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedCounters, type RecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { controllerName, desired } from '../conditions/stored-statuses.ts';

export interface WriterRig {
  readonly clock: ManualClock;
  readonly log: RecordedLog;
  readonly counters: RecordedCounters;
  readonly objects: ObjectsInMemory;
  readonly writer: StatusWriter;
  /** Whether this replica may write. */
  leads: boolean;
  /** The API server answers a request of somebody else. */
  answered(): void;
  /** Sets the desired message of a class. */
  desire(key: string, message?: string): void;
  /** The desired statuses of policies. */
  readonly policies: Map<string, PolicyStatus>;
}

/** A writer, not started, between desired statuses and an in-memory API server that it watches. */
export function createWriterRig(): WriterRig {
  const clock = createManualClock();
  const log = createRecordedLog();
  const counters = createRecordedCounters();
  const objects = createObjectsInMemory();
  const gatewayClassStatuses = collectionOf<GatewayClassStatus>('classes');
  const gatewayStatuses = collectionOf<GatewayStatus>('gateways');
  const policyStatuses = collectionOf<PolicyStatus>('policies');
  const index = new StatusIndex(
    { gatewayClassStatuses, gatewayStatuses, gatewaysWithoutClass: collectionOf('without-class'), policyStatuses },
    controllerName,
  );
  const answered = new Set<() => void>();
  const writer = new StatusWriter({
    index,
    write: objects.write,
    mayWrite: () => rig.leads,
    onSuccess(run) {
      answered.add(run);
      return () => answered.delete(run);
    },
    clock,
    random: () => 0.5,
    log,
    counters,
  });
  const rig: WriterRig = {
    clock,
    log,
    counters,
    objects,
    writer,
    leads: true,
    answered() {
      for (const run of answered) run();
    },
    desire: (key, message = 'as it should be') => {
      const conditions = [{ ...desired('Accepted'), message }];
      gatewayClassStatuses.values.set(key, { kind: 'GatewayClass', name: key, conditions });
      writer.changed([classOf(key)]);
    },
    policies: policyStatuses.values,
  };
  objects.watch((observation) => {
    index.observe(observation);
    writer.changed([observation]);
  });
  return rig;
}

export function classOf(key: string): StatusObject {
  return { kind: 'GatewayClass', key };
}

export const mcp: StatusObject = classOf('mcp');

/** A started writer that has written the status of one class. */
export async function running(): Promise<WriterRig> {
  const rig = createWriterRig();
  rig.objects.put(mcp);
  rig.desire('mcp');
  rig.writer.start();
  await settled();
  return rig;
}

/** Advances the clock in steps, so that writes are answered close to the time at which they are sent. */
export async function pass(rig: WriterRig, milliseconds: number, step = 250): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += step) {
    rig.clock.advance(step);
    await settled();
  }
}

/** The messages of the stored conditions of a class. */
export function messages(rig: WriterRig, key = 'mcp'): readonly unknown[] {
  return objectsOf(asJsonObject(rig.objects.status(classOf(key)))['conditions']).map(({ message }) => message);
}

/** A collection with settable values. */
function collectionOf<V>(name: string) {
  const values = new Map<string, V>();
  const collection: Collection<V> = {
    name,
    get size() {
      return values.size;
    },
    get: (key) => values.get(key),
    entries: () => values.entries(),
  };
  return { ...collection, values };
}
