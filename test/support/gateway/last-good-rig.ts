import type { Clock } from '../../../src/edges.ts';
import { type ConfigStore, createConfigStore } from '../../../src/gateway/xds/config-store.ts';
import { createLastGood, type LastGood, type LastGoodEvent } from '../../../src/gateway/xds/last-good.ts';
import { createStateFolder, type StateFolder } from '../../../src/gateway/xds/state-folder.ts';
import { maxStateBytes } from '../../../src/gateway/xds/state-format.ts';
import { type DeepPartial, DeltaDiscoveryResponse } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { createRecordedLog, type RecordedLog } from '../edges/recorded-log.ts';

/** The configuration of one process of a gateway with state on disk, whose control plane is the test. */
export interface LastGoodRig {
  readonly store: ConfigStore;
  readonly state: LastGood;
  readonly log: RecordedLog;
  readonly events: readonly LastGoodEvent[];
  /** Settles when this has happened so many times. */
  happened(event: LastGoodEvent, times?: number): Promise<void>;
  /** Applies a response. */
  answer(kind: 'Target' | 'Config', response: DeepPartial<DeltaDiscoveryResponse>): void;
}

interface RigOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly maxAge?: number;
  readonly controlPlane?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Returns what the process has in place of its folder: one whose disk fails. */
  readonly disk?: (folder: StateFolder) => StateFolder;
}

export const day: number = 24 * 3_600_000;

/** Starts a process, which loads what is in the folder. */
export async function startLastGood(options: RigOptions): Promise<LastGoodRig> {
  const { folder, clock, maxAge = day, controlPlane = 'http://kgateway:9977', disk = (same) => same } = options;
  const metadata = options.metadata ?? { role: 'mcp-kgateway-kube-gateway-api~default~mcp-gateway' };
  const log = createRecordedLog();
  const events: LastGoodEvent[] = [];
  const waiting: { readonly event: LastGoodEvent; readonly times: number; readonly resolve: () => void }[] = [];
  const timesOf = (event: LastGoodEvent): number => events.filter((seen) => seen === event).length;
  const state = createLastGood({
    folder: disk(createStateFolder(folder, maxStateBytes, Math.random)),
    maxAge,
    owner: { controlPlane, metadata },
    store: () => store,
    clock,
    random: Math.random,
    log,
    count(event) {
      events.push(event);
      // In the next turn: in this one, what has happened is not over yet.
      for (const { event: awaited, times, resolve } of waiting) if (timesOf(awaited) >= times) setImmediate(resolve);
    },
  });
  const store = createConfigStore(log, state);
  await state.load();
  return {
    store,
    state,
    log,
    events,
    happened(event, times = 1) {
      if (timesOf(event) >= times) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ event, times, resolve });
      return promise;
    },
    answer(kind, response) {
      const subscription = store.subscriptions.find((candidate) => candidate.kind === kind);
      subscription?.apply(DeltaDiscoveryResponse.fromPartial(response));
    },
  };
}
