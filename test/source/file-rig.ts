import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock, StopAsync } from '../../src/edges.ts';
import { type FileSourceOptions, fileSource } from '../../src/source/source.ts';
import { type Batches, createBatches } from '../support/batches.ts';
import { createRecordedCounters, type RecordedCounters } from '../support/recorded-counters.ts';
import { createRecordedLog, type RecordedLog } from '../support/recorded-log.ts';
import { systemClock } from '../support/system-clock.ts';

/** A source over real files that delivers what happens to them. */
export interface FileRig extends Batches {
  readonly log: RecordedLog;
  readonly counters: RecordedCounters;
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

/** The machine's clock a second ahead: every file was written long ago, so that none is read twice to be sure. */
export const laterClock: Clock = { ...systemClock, now: () => systemClock.now() + 1000 };

/** Watches the roots until the test is finished. */
export async function startFiles(roots: readonly string[], more: Partial<FileSourceOptions> = {}): Promise<FileRig> {
  const log = createRecordedLog();
  const counters = createRecordedCounters();
  const batches = createBatches();
  const source = fileSource({ roots, clock: laterClock, log, counters, ...more });
  const stop = await source.start(batches.deliver);
  onTestFinished(stop);
  return Object.assign(batches, {
    log,
    counters,
    stop,
    work: () => ({
      reads: counters.total('gatehouse_source_reads_total'),
      parses: counters.total('gatehouse_source_parses_total'),
    }),
    port(key: string) {
      const resource = batches.resources.get(`Service ${key}`);
      const [port] = resource?.kind === 'Service' ? resource.mcpPorts : [];
      return port?.ok ? port.value.port : undefined;
    },
    problems: () => source.problems().map(({ place, message }) => `${place} ${message}`),
  });
}
