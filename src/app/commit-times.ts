import { ChangeLog } from '../debug/debug.ts';
import type { ChangeRecord } from '../debug/model.ts';
import type { Clock, Counters, StopAsync } from '../edges.ts';
import type { Batch } from '../source/model.ts';
import type { CommitTraces } from '../trace/trace.ts';
import type { Pipeline } from './pipeline.ts';

/** Dependencies of the measurement. */
export interface CommitTimesParts {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly traces: CommitTraces | undefined;
}

/**
 * Measures each commit: when its first change was noticed, when it was decoded, translated and encoded, and when nodes
 * were sent it and answered. All of it is measured once for a commit, whatever the number of nodes.
 */
export class CommitTimes {
  /** Told of each response and its answer. */
  readonly changes: ChangeLog;
  readonly #clock: Clock;
  readonly #counters: Counters;
  readonly #traces: CommitTraces | undefined;
  #translated = 0;

  constructor({ clock, counters, traces }: CommitTimesParts) {
    this.#clock = clock;
    this.#counters = counters;
    this.#traces = traces;
    this.changes = new ChangeLog({ clock, settled: (record) => this.#settled(record) });
  }

  /** Call it in each commit, between the translation and the encoding. */
  readonly translated = (): void => {
    this.#translated = this.#clock.now();
  };

  /** Delivers a batch, or a part of one, and remembers what it took. */
  deliver(
    pipeline: Pipeline,
    batch: Batch,
    cause: ChangeRecord['cause'],
    before: Parameters<Pipeline['deliver']>[1],
  ): ReturnType<Pipeline['deliver']> {
    const decoded = this.#clock.now();
    const delivery = pipeline.deliver(batch, before);
    const { commit, encoded } = delivery;
    const at = this.#clock.now();
    const translated = this.#translated;
    const { since = decoded, changes, more = false } = batch;
    this.changes.committed({ commit, changes, cause, since, decoded, translated, at, encoded, more });
    this.#observe('gatehouse_translation_seconds', decoded, translated);
    this.#observe('gatehouse_encoding_seconds', translated, at);
    return delivery;
  }

  /** Settles what is left, and exports it. */
  readonly stop: StopAsync = async () => {
    this.changes.stop();
    await this.#traces?.stop();
  };

  #settled(record: ChangeRecord): void {
    const { since, lastPush, lastAck } = record;
    this.#observe('gatehouse_xds_convergence_sent_seconds', since, lastPush);
    this.#observe('gatehouse_xds_convergence_acked_seconds', since, lastAck);
    this.#traces?.settled(record);
  }

  /** @param to undefined: it did not happen. A clock that was set back counts as no time. */
  #observe(name: Parameters<Counters['observe']>[0], from: number, to: number | undefined): void {
    if (to !== undefined) this.#counters.observe(name, Math.max(0, to - from) / 1000);
  }
}
