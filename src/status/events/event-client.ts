import type { EventsV1Event, EventsV1EventSeries } from '@kubernetes/client-node';
import type { KindName } from '../../resources/model.ts';
import { kinds } from '../../resources/resources.ts';
import type { Refusal } from '../api/api-answer.ts';
import { apiPath } from '../api/api-path.ts';
import { type AsJson, microTime } from '../api/as-json.ts';
import type { TimedRequest } from '../api/object-request.ts';
import { reporterOf } from './event.ts';

/** An Event (`events.k8s.io/v1`) as it is first written. */
export interface NewEvent {
  /** Of the Event itself; it stands in the namespace of what it is about. */
  readonly eventName: string;
  readonly kind: KindName;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  /** What was done or tried, in a word. */
  readonly action: string;
  /** At most 1,024 bytes. */
  readonly note: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** That an Event happened again. */
export interface EventCount {
  readonly eventName: string;
  readonly namespace: string;
  /** In all: at least 2. */
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly lastObserved: number;
}

export type EventAnswer = { readonly kind: 'written' } | Refusal;

/** Writes Events. Nothing here rejects. */
export interface EventClient {
  create(event: NewEvent, signal: AbortSignal): Promise<EventAnswer>;
  count(count: EventCount, signal: AbortSignal): Promise<EventAnswer>;
}

/**
 * @param controller the name of a controller, such as `kgateway.dev/kgateway`
 * @param instance which replica this is; what is longer than the API's 128 characters is cut off
 */
export function eventClient(
  request: TimedRequest,
  { controller, instance }: { readonly controller: string; readonly instance: string },
): EventClient {
  const pathOf = (namespace: string, ...name: readonly string[]): string =>
    apiPath('events.k8s.io/v1', 'namespaces', namespace, 'events', ...name);
  const written = (): EventAnswer => ({ kind: 'written' });
  return {
    create: ({ eventName, kind, namespace, name, uid, type, reason, action, note, at }, signal) => {
      const body: AsJson<EventsV1Event> = {
        metadata: { namespace, name: eventName },
        eventTime: microTime(at),
        reportingController: reporterOf(controller),
        reportingInstance: instance.slice(0, 128),
        regarding: { apiVersion: kinds[kind].apiVersion, kind, namespace, name, uid },
        type,
        reason,
        action,
        note,
      };
      return request({ method: 'POST', path: pathOf(namespace), body }, signal, written);
    },
    count: ({ namespace, eventName, count, lastObserved }, signal) => {
      const series: AsJson<EventsV1EventSeries> = { count, lastObservedTime: microTime(lastObserved) };
      return request({ method: 'PATCH', path: pathOf(namespace, eventName), body: { series } }, signal, written);
    },
  };
}
