import type { RequestError } from '../../../src/status/api/request-error.ts';
import type { EventClient, EventCount, NewEvent } from '../../../src/status/events/event-client.ts';

/** Events in an API server's memory. */
export interface EventsInMemory extends EventClient {
  readonly created: readonly NewEvent[];
  readonly counted: readonly EventCount[];
  /** How requests are answered instead of being carried out; undefined: they are carried out. */
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
