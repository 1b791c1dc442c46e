import { type Attributes, ROOT_CONTEXT, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { ChangeRecord } from '../debug/model.ts';
import type { Clock, Logger } from '../edges.ts';
import { quoted } from '../json/quoted.ts';
import { LogThrottle } from '../rate/log-throttle.ts';

/** Traces of commits, exported by OTLP. This module loads the SDK: import it when traces are wanted. */
export interface CommitTraces {
  /** Exports the trace of a commit that has settled. */
  settled(record: ChangeRecord): void;
  /** Exports what is left, for two seconds at most. */
  stop(): Promise<void>;
}

/** Where traces go, and what they say of this process. */
export interface CommitTracesOptions {
  /** Where traces are posted as OTLP/HTTP with JSON, as `http://collector:4318/v1/traces`. */
  readonly url: string;
  /** Attributes of the resource, such as `service.name`. */
  readonly resource: Attributes;
}

/** Dependencies of the traces. */
export interface CommitTracesParts {
  readonly clock: Clock;
  readonly log: Logger;
}

/** Six spans for each commit: while the collector does not answer, this many wait, and later ones are dropped. */
const mostSpans = 2_048;

/** Milliseconds that a request to the collector may take, retries included, and that the end of the process waits. */
const exportTimeout = 10_000;
const stopTimeout = 2_000;

/**
 * Opens the export. A trace is made when its commit has settled, out of the times that the log of changes has: a push
 * creates nothing, with and without traces.
 */
export function openCommitTraces(
  { url, resource }: CommitTracesOptions,
  { clock, log }: CommitTracesParts,
): CommitTraces {
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: exportTimeout });
  const provider = new BasicTracerProvider({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win.
    resource: resourceFromAttributes(resource).merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [
      new BatchSpanProcessor(reporting(exporter, new LogThrottle(clock, log)), {
        maxQueueSize: mostSpans,
        exportTimeoutMillis: exportTimeout,
      }),
    ],
  });
  const tracer = provider.getTracer('gatehouse');
  return {
    settled: (record) => traceCommit(tracer, record),
    stop: async () => {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const cancel = clock.after(stopTimeout, resolve);
      // A collector that does not answer was reported already.
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
      cancel();
    },
  };
}

/** Says once that the collector does not take traces, and once that it does again. */
function reporting(exporter: SpanExporter, throttle: LogThrottle): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error === undefined) throttle.recovered('export', 'traces are exported again');
        else {
          const message = 'traces cannot be exported; serving does not depend on them';
          throttle.failed('export', { reason: quoted(result.error.message), message });
        }
        done(result);
      }),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  };
}

/** One trace: a span from the first event to the last answer, and one for each stage. */
function traceCommit(tracer: Tracer, record: ChangeRecord): void {
  const { since, decoded, translated, at, lastPush = at, lastAck, nacks } = record;
  const end = Math.max(at, lastPush, lastAck ?? at);
  const commit = tracer.startSpan(
    'commit',
    { root: true, startTime: new Date(since), attributes: attributesOf(record) },
    ROOT_CONTEXT,
  );
  const context = trace.setSpan(ROOT_CONTEXT, commit);
  const stage = (name: string, from: number, to: number, attributes: Attributes = {}): Span => {
    const span = tracer.startSpan(name, { startTime: new Date(from), attributes }, context);
    span.end(new Date(Math.max(from, to)));
    return span;
  };
  stage('decode', since, decoded, { 'gatehouse.objects': record.total });
  stage('translate', decoded, translated, { 'gatehouse.transformations': record.runs });
  stage('encode', translated, at, encodedAttributes(record));
  stage('push', at, lastPush, { 'gatehouse.responses': record.pushes });
  if (lastAck !== undefined) stage('ack', at, lastAck, { 'gatehouse.acks': record.acks, 'gatehouse.nacks': nacks });
  if (nacks > 0) commit.setStatus({ code: SpanStatusCode.ERROR, message: `${nacks} responses were rejected (NACK)` });
  commit.end(new Date(end));
}

/** Names of objects are those of the log of changes: the first 20. No label of a metric has them. */
function attributesOf({ epoch, cause, objects, total }: ChangeRecord): Attributes {
  return {
    'gatehouse.epoch': epoch,
    'gatehouse.cause': cause,
    'gatehouse.objects': total,
    'gatehouse.changed': objects.map(({ kind, key }) => `${kind} ${key}`),
  };
}

function encodedAttributes({ encoded }: ChangeRecord): Attributes {
  return { 'gatehouse.encoded': [...encoded.values()].reduce((sum, count) => sum + count, 0) };
}
