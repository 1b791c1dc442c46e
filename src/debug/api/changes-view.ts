import type { ChangeLog, ChangeRecord } from '../change-log.ts';
import { paged, pageOf, timeText } from './query.ts';

/** The JSON of `/debug/changes`: the last commits, newest first. */
export function changesView(log: ChangeLog, query: URLSearchParams): object {
  return { version: 1, ...paged(log.list(), pageOf(query, 200), row) };
}

function row(record: ChangeRecord): object {
  const { epoch, at, cause, objects, total, runs, encodeMilliseconds, encoded } = record;
  const { pushes, lastPush, acks, lastAck, nacks } = record;
  return {
    epoch,
    at: timeText(at),
    cause,
    objects,
    total,
    runs,
    encodeMilliseconds,
    encoded: Object.fromEntries([...encoded].filter(([, count]) => count > 0)),
    pushes,
    // From the commit to the last response, and to the last ACK.
    pushMilliseconds: lastPush === undefined ? null : lastPush - at,
    acks,
    ackMilliseconds: lastAck === undefined ? null : lastAck - at,
    nacks,
  };
}
