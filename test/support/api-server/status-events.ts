import type { RequestError } from '../../../src/status/api/request-error.ts';
import type { EventClient, EventCount, NewEvent } from '../../../src/status/events/event-client.ts';

/** Events in a fake API server. */
export interface EventsInMemory extends EventClient {
  readonly created: readonly NewEvent[];
  readonly counted: readonly EventCount[];
  /** The failure of requests; undefined: they are applied. */
  refusal: RequestError | undefined;
}

export function createEventsInMemory(): EventsInMemory {
  const created: NewEvent[] = [];
  const counted: EventCount[] = [];
  const events: EventsInMemory = {
    created,
    counted,
    refusal: undefined,
    create: (event) => {
      if (events.refusal === undefined) created.push(event);
      return Promise.resolve(events.refusal ?? { kind: 'written' });
    },
    count: (count) => {
      if (events.refusal === undefined) counted.push(count);
      return Promise.resolve(events.refusal ?? { kind: 'written' });
    },
  };
  return events;
}
