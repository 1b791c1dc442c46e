import type { Counters, Logger } from '../../edges.ts';

/** The leadership of this replica: only the leader writes statuses. */
export interface Leadership {
  start(): void;
  /** Returns whether this replica may write now. */
  leads(): boolean;
  /** Ends the leadership at once; resolves when the Lease was released, so that another replica need not wait. */
  stop(): Promise<void>;
}

interface SoleLeadershipParts {
  /** Called at each change with whether this replica leads. */
  readonly changed: (leads: boolean) => void;
  readonly log: Logger;
  readonly counters: Counters;
}

/** Leads from start to stop, without an election (`--leader-election=false`). */
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
