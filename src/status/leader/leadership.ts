import type { Counters, Logger } from '../../edges.ts';

/** Whether this replica is the one that writes statuses. */
export interface Leadership {
  start(): void;
  /** Whether it may write at this moment. */
  leads(): boolean;
  /** Ends it at once; settles when others can know. */
  stop(): Promise<void>;
}

interface SoleLeadershipParts {
  /** Called with every change: whether this replica leads from now on. */
  readonly changed: (leads: boolean) => void;
  readonly log: Logger;
  readonly counters: Counters;
}

/** Of a process that is told that it is the only one: it leads for as long as it runs, and asks nobody. */
export function soleLeadership({ changed, log, counters }: SoleLeadershipParts): Leadership {
  let leading = false;
  const become = (leads: boolean): void => {
    if (leads === leading) return;
    leading = leads;
    counters.gauge('gatehouse_leader', leads ? 1 : 0);
    changed(leads);
  };
  return {
    start: () => {
      log.info('this process writes the statuses, without an election');
      become(true);
    },
    leads: () => leading,
    stop: () => {
      become(false);
      return Promise.resolve();
    },
  };
}
