import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { ChangeRecord } from '../../src/debug/model.ts';
import { openCommitTraces } from '../../src/trace/trace.ts';
import { createRecordedLog, type RecordedLog } from '../support/edges/recorded-log.ts';
import { systemClock } from '../support/edges/system-clock.ts';
import { type OtlpCollector, startCollector } from '../support/otlp-collector.ts';

const start = Date.UTC(2026, 0, 1);

const record: ChangeRecord = {
  epoch: 7,
  since: start,
  decoded: start + 30,
  translated: start + 32,
  at: start + 35,
  cause: 'change',
  objects: [{ kind: 'Service', key: 'default/echo', change: 'set' }],
  total: 1,
  runs: 3,
  encoded: new Map([['t', 1]]),
  pushes: 3,
  lastPush: start + 40,
  acks: 2,
  lastAck: start + 60,
  nacks: 1,
};

async function collector(): Promise<OtlpCollector> {
  const started = await startCollector();
  onTestFinished(() => started[Symbol.asyncDispose]());
  return started;
}

function tracesTo(
  { endpoint }: OtlpCollector,
  log: RecordedLog = createRecordedLog(),
): ReturnType<typeof openCommitTraces> {
  const options = {
    url: `${endpoint}/v1/traces`,
    resource: { 'service.name': 'gatehouse', 'service.instance.id': 'a' },
  };
  return openCommitTraces(options, { clock: systemClock, log });
}

it('a commit is one trace: decode, translate, encode, push and ack, with their times', async () => {
  const received = await collector();
  const traces = tracesTo(received);
  traces.settled(record);
  await traces.stop();
  const root = received.spans.find(({ name }) => name === 'commit');
  const milliseconds = (time: bigint): number => Number(time / 1_000_000n) - start;
  const shown = received.spans.map(({ name, start: from, end }) => [name, milliseconds(from), milliseconds(end)]);
  expect(shown.toSorted()).toEqual(
    [
      ['commit', 0, 60],
      ['decode', 0, 30],
      ['translate', 30, 32],
      ['encode', 32, 35],
      ['push', 35, 40],
      ['ack', 35, 60],
    ].toSorted(),
  );
  expect(new Set(received.spans.map(({ traceId }) => traceId)).size).toBe(1);
  for (const span of received.spans)
    expect(span.parentSpanId || undefined).toBe(span === root ? undefined : root?.spanId);
  expect(root).toMatchObject({
    attributes: { 'gatehouse.epoch': 7, 'gatehouse.cause': 'change', 'gatehouse.objects': 1 },
    resource: { 'service.name': 'gatehouse', 'service.instance.id': 'a' },
    status: 2,
  });
  expect(received.spans.find(({ name }) => name === 'ack')?.attributes).toMatchObject({ 'gatehouse.nacks': 1 });
  expect(received.requests[0]?.path).toBe('/v1/traces');
});

it('two commits are two traces, and one that nobody acknowledged has no ack', async () => {
  const received = await collector();
  const traces = tracesTo(received);
  traces.settled(record);
  traces.settled({ ...record, epoch: 8, acks: 0, lastAck: undefined, nacks: 0 });
  await traces.stop();
  expect(new Set(received.spans.map(({ traceId }) => traceId)).size).toBe(2);
  expect(received.spans.filter(({ name }) => name === 'ack')).toHaveLength(1);
});

it('while the collector does not answer, a bounded number of spans waits and the rest is dropped', async () => {
  const received = await collector();
  const release = received.hold();
  const traces = tracesTo(received);
  for (let epoch = 1; epoch <= 5_000; epoch += 1) traces.settled({ ...record, epoch });
  await received.until(() => received.requests.length > 0);
  for (let epoch = 1; epoch <= 5_000; epoch += 1) traces.settled({ ...record, epoch });
  release();
  await traces.stop();
  expect(received.spans.length).toBeGreaterThan(0);
  expect(received.spans.length).toBeLessThanOrEqual(2_048 + 512);
});

it('a collector that refuses is logged once, without what it answered', async () => {
  const received = await collector();
  received.status = 400;
  const log = createRecordedLog();
  const traces = tracesTo(received, log);
  for (let epoch = 1; epoch <= 300; epoch += 1) traces.settled({ ...record, epoch });
  await received.until(() => received.requests.length > 1);
  await traces.stop();
  const lines = log.lines.filter(({ message }) => message.startsWith('traces cannot be exported'));
  expect(lines).toHaveLength(1);
  expect(log.text()).not.toContain('secret');
});

it('nothing imports the traces or the SDK statically: without traces none of it is loaded', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const importers = files.filter((file) => {
    if (file.startsWith('trace/')) return false;
    const text = readFileSync(join('src', file), 'utf8');
    return /^(?:import|export)(?! type)[^;]*from '(?:@opentelemetry|[^']*\/trace\/)/m.test(text);
  });
  expect(files.length).toBeGreaterThan(100);
  expect(importers).toEqual([]);
});
