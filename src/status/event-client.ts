import type { Configuration, EventsV1Event } from '@kubernetes/client-node';
import type { KindName } from '../resources/model.ts';
import { kinds } from '../resources/resources.ts';
import { type Refusal, readRefusal } from './api-answer.ts';
import { reporterOf } from './event-text.ts';
import type { TimedRequest } from './timed-request.ts';

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
  configuration: Configuration,
  request: TimedRequest,
  { controller, instance }: { readonly controller: string; readonly instance: string },
): EventClient {
  const answered = async (ask: () => Promise<unknown>): Promise<EventAnswer> => {
    try {
      await ask();
      return { kind: 'written' };
    } catch (error) {
      return readRefusal(error);
    }
  };
  return {
    create: (event, signal) =>
      answered(async () => {
        const { EventsV1Api, V1MicroTime } = await import('@kubernetes/client-node');
        const { eventName, kind, namespace, name, uid, type, reason, action, note, at } = event;
        const body: EventsV1Event = {
          metadata: { namespace, name: eventName },
          eventTime: new V1MicroTime(at),
          reportingController: reporterOf(controller),
          reportingInstance: instance.slice(0, 128),
          regarding: { apiVersion: kinds[kind].apiVersion, kind, namespace, name, uid },
          type,
          reason,
          action,
          note,
        };
        const api = new EventsV1Api(configuration);
        return request((options) => api.createNamespacedEvent({ namespace, body }, options), signal);
      }),
    count: ({ namespace, eventName, count, lastObserved }, signal) =>
      answered(async () => {
        const { EventsV1Api, PatchStrategy, V1MicroTime } = await import('@kubernetes/client-node');
        const body = { series: { count, lastObservedTime: new V1MicroTime(lastObserved) } };
        const api = new EventsV1Api(configuration);
        return request(
          (options) => api.patchNamespacedEvent({ namespace, name: eventName, body }, options),
          signal,
          PatchStrategy.MergePatch,
        );
      }),
  };
}
