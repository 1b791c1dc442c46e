import type { Stop } from '../../edges.ts';
import { maxOpenFiles } from '../../net/listener/open-files.ts';
import { Quota } from '../../rate/quota.ts';
import { TargetConnectionsError } from '../errors.ts';

/**
 * Limits the connections that targets take: one for each request that is not answered whole, and one for each open
 * stream. Otherwise one that is slow, or never ends its answers, would take the descriptors of all.
 */
export interface ConnectionLimit {
  /**
   * Counts a connection to a target until the returned function is called.
   *
   * @throws TargetConnectionsError beyond the limit
   */
  open(target: string): Stop;
}

/** One stream of each of 2,000 sessions, and as many calls. */
const defaultPerTarget = 4_096;

/** Of all targets. Fewer where the system allows fewer than twice as many open files: the rest is for clients. */
const maxConnections = 32_768;

/** One target leaves half of what nobody holds, two a quarter. */
const shareOfRest = 1;

/** @param perTarget connections of one target */
export function createConnectionLimit(perTarget: number = defaultPerTarget): ConnectionLimit {
  const limit = Math.min(maxConnections, Math.floor(maxOpenFiles() / 2));
  const quota = new Quota(limit, Math.min(1, perTarget / limit), shareOfRest);
  return {
    open(target) {
      if (!quota.acquire(target)) {
        const own = `${quota.held(target)} connections to it are open`;
        const free = `${limit - quota.total} are free of the ${limit} to all targets (half of ulimit -n)`;
        const isOwn = quota.exceedsShare(target);
        throw new TargetConnectionsError(isOwn ? `${own} (--max-target-connections)` : `${own}, and ${free}`);
      }
      let isOpen = true;
      return () => {
        if (isOpen) quota.release(target);
        isOpen = false;
      };
    },
  };
}
