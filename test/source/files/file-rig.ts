import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock, Counters, StopAsync } from '../../../src/edges.ts';
import { type FileSourceOptions, fileSource } from '../../../src/source/source.ts';
import { createRecordedCounters, type RecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { systemClock } from '../../support/edges/system-clock.ts';
import { type Batches, createBatches } from '../../support/worlds/batches.ts';

/** A source over real files that delivers what happens to them. */
export interface FileRig extends Batches {
  readonly log: RecordedLog;
  readonly counters: RecordedCounters;
  /** Settles with the end of the next look at the files, whatever it finds. */
  looked(): Promise<void>;
  /** How often files were read and parsed. */
  work(): { readonly reads: number; readonly parses: number };
  /** The first MCP port of a Service. */
  port(key: string): number | undefined;
  /** Place and message of everything that is wrong. */
  problems(): readonly string[];
  stop: StopAsync;
}

/** An empty folder that goes with the test. */
export function createFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'gatehouse-source-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a file as a whole, in place. */
export function save(folder: string, name: string, content: string | Buffer): void {
  writeFileSync(join(folder, name), content);
}

/**
 * The machine's clock a second ahead: every file was written long ago, so that none is read twice to be sure. What is
 * done every few seconds never comes, so that only events are noticed.
 */
const eventsOnly: Clock = {
  now: () => systemClock.now() + 1000,
  after: (milliseconds, run) => (milliseconds < 1000 ? systemClock.after(milliseconds, run) : () => undefined),
};

/**
 * Watches the roots until the test is finished. When it settles nothing is pending any more, so that only an event
 * makes the source look again; with a clock of the test's own, the second look at everything is pending.
 */
export async function startFiles(roots: readonly string[], more: Partial<FileSourceOptions> = {}): Promise<FileRig> {
  const log = createRecordedLog();
  const counters = createRecordedCounters();
  const batches = createBatches();
  let nextLook = Promise.withResolvers<void>();
  const looked = (): Promise<void> => nextLook.promise;
  const observed: Counters = {
    ...counters,
    gauge(name, value) {
      counters.gauge(name, value);
      nextLook.resolve();
      nextLook = Promise.withResolvers<void>();
    },
  };
  const source = fileSource({ roots, clock: eventsOnly, log, counters: observed, ...more });
  const stop = await source.start(batches.deliver);
  onTestFinished(stop);
  if (more.clock === undefined) await looked();
  return Object.assign(batches, {
    log,
    counters,
    stop,
    looked,
    work: () => ({
      reads: counters.total('gatehouse_source_reads_total'),
      parses: counters.total('gatehouse_source_parses_total'),
    }),
    port(key: string) {
      const resource = batches.resources.get(`Service ${key}`);
      const [port] = resource?.kind === 'Service' ? resource.mcpPorts : [];
      return port?.ok ? port.value.port : undefined;
    },
    problems: () => source.diagnostics().map(({ place, message }) => `${place} ${message}`),
  });
}
