import type { ChangeLog } from '../change-log.ts';
import type { ChangeRecord } from '../model.ts';
import { paged, pageOf, timeText } from './query.ts';

/** The JSON of `/debug/changes`: the last commits, newest first. */
export function changesView(log: ChangeLog, query: URLSearchParams): object {
  return { version: 1, ...paged(log.list(), pageOf(query, 200), row) };
}

function row(record: ChangeRecord): object {
  const { epoch, decoded, at, cause, objects, total, runs, encoded } = record;
  const { pushes, lastPush, acks, lastAck, nacks } = record;
  return {
    epoch,
    at: timeText(at),
    cause,
    objects,
    total,
    runs,
    // From the batch to the snapshots: decoded objects are translated and encoded.
    encodeMilliseconds: at - decoded,
    encoded: Object.fromEntries([...encoded].filter(([, count]) => count > 0)),
    pushes,
    // From the commit to the last response, and to the last ACK.
    pushMilliseconds: lastPush === undefined ? null : lastPush - at,
    acks,
    ackMilliseconds: lastAck === undefined ? null : lastAck - at,
    nacks,
  };
}
