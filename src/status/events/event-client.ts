import type { EventsV1Event, EventsV1EventSeries } from '@kubernetes/client-node';
import type { KindName } from '../../resources/model.ts';
import { kinds } from '../../resources/resources.ts';
import { type AsJson, apiPath, microTime, type SendObjectRequest } from '../api/object-request.ts';
import type { RequestError } from '../api/request-error.ts';
import { reportingController } from './event.ts';

/** An Event (`events.k8s.io/v1`) to create. */
export interface NewEvent {
  /** The name of the Event; its namespace is that of the object. */
  readonly eventName: string;
  readonly kind: KindName;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  /** The action of the controller, in CamelCase. */
  readonly action: string;
  /** At most 1,024 bytes. */
  readonly note: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A new count of the series of an Event. */
export interface EventCount {
  readonly eventName: string;
  readonly namespace: string;
  /** Total count, at least 2. */
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly lastObserved: number;
}

/** Whether an Event was written, or why not. */
export type EventResult = { readonly kind: 'written' } | RequestError;

/** Writes Events. Nothing here rejects. */
export interface EventClient {
  create(event: NewEvent, signal: AbortSignal): Promise<EventResult>;
  count(count: EventCount, signal: AbortSignal): Promise<EventResult>;
}

/**
 * @param controller the controller name, such as `kgateway.dev/kgateway`
 * @param instance the name of this replica, truncated to the API's 128 characters
 */
export function eventClient(
  send: SendObjectRequest,
  { controller, instance }: { readonly controller: string; readonly instance: string },
): EventClient {
  const eventPath = (namespace: string, ...name: readonly string[]): string =>
    apiPath('events.k8s.io/v1', 'namespaces', namespace, 'events', ...name);
  const written = (): EventResult => ({ kind: 'written' });
  return {
    create: ({ eventName, kind, namespace, name, uid, type, reason, action, note, at }, signal) => {
      const body: AsJson<EventsV1Event> = {
        metadata: { namespace, name: eventName },
        eventTime: microTime(at),
        reportingController: reportingController(controller),
        reportingInstance: instance.slice(0, 128),
        regarding: { apiVersion: kinds[kind].apiVersion, kind, namespace, name, uid },
        type,
        reason,
        action,
        note,
      };
      return send({ method: 'POST', path: eventPath(namespace), body }, signal, written);
    },
    count: ({ namespace, eventName, count, lastObserved }, signal) => {
      const series: AsJson<EventsV1EventSeries> = { count, lastObservedTime: microTime(lastObserved) };
      return send({ method: 'PATCH', path: eventPath(namespace, eventName), body: { series } }, signal, written);
    },
  };
}
