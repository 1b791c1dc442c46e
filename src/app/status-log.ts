import type { Clock, Logger } from '../edges.ts';
import type { Commit } from '../graph/model.ts';
import { BoundedLines } from '../rate/bounded-lines.ts';
import type { Batch } from '../source/model.ts';
import type { Condition, GatewayStatus, PolicyStatus, Translation } from '../translate/model.ts';

/** What writes the lines of one commit. */
type Lines = Pick<Logger, 'info' | 'warn'>;

/** What a change did, in its parts up to now, to each object that it names, such as `Gateway default/gw`. */
type Edits = ReadonlyMap<string, 'set' | 'deleted'>;

/**
 * Returns the function that logs what a commit means for each object: its conditions, and that it or its targets are
 * gone. One line each, within {@link BoundedLines} for those that have a problem, and for the others: for inputs that store
 * no status (files, or a cluster with `--write-status=false`).
 */
export function statusLog(log: Logger, translation: Translation, clock: Clock): (commit: Commit, batch: Batch) => void {
  const warnings = new BoundedLines(clock, (more) =>
    log.warn('more objects are not accepted as written: /debug/problems lists them', { more }),
  );
  const others = new BoundedLines(clock, (more) =>
    log.info('more objects and targets are as they should be, or gone', { more }),
  );
  const lines: Lines = {
    warn: (message, fields) => {
      if (warnings.admit()) log.warn(message, fields);
    },
    info: (message, fields) => {
      if (others.admit()) log.info(message, fields);
    },
  };
  let edits = new Map<string, 'set' | 'deleted'>();
  return (commit, { changes, more }) => {
    for (const { kind, key, resource } of changes)
      edits.set(`${kind} ${key}`, resource === undefined ? 'deleted' : 'set');
    logObjects(lines, translation, commit, edits);
    if (more === true) return;
    edits = new Map();
    warnings.endChange();
    others.endChange();
  };
}

function logObjects(log: Lines, translation: Translation, commit: Commit, edits: Edits): void {
  logDeleted(log, translation, commit, edits);
  for (const { key, before, after } of commit.changes(translation.gatewayClassStatuses)) {
    logObject(log, `GatewayClass ${key}`, { before: before?.conditions, after: after?.conditions }, edits);
  }
  for (const { key, before, after } of commit.changes(translation.gatewayStatuses)) {
    const conditions = { before: before && gatewayConditions(before), after: after && gatewayConditions(after) };
    logObject(log, `Gateway ${key}`, conditions, edits);
  }
  for (const { key, before, after } of commit.changes(translation.policyStatuses)) {
    const conditions = { before: before && policyConditions(before), after: after && policyConditions(after) };
    logObject(log, `MCPAuthPolicy ${key}`, conditions, edits);
  }
  logNotices(log, translation, commit);
  for (const { key, before, after } of commit.changes(translation.targets)) {
    // One that changes has the same name and the same callers.
    if (before === undefined) log.info('a target appears', { target: key });
    else if (after === undefined) log.info('a target is gone', { target: key });
  }
}

/** Logs the deleted objects that this controller had said something about; a cluster has many others. */
function logDeleted(log: Lines, translation: Translation, commit: Commit, edits: Edits): void {
  const said = [
    ['GatewayClass', translation.gatewayClassStatuses],
    ['Gateway', translation.gatewayStatuses],
    ['MCPAuthPolicy', translation.policyStatuses],
    ['MCPAuthPolicy', translation.policyNotices],
    ['Service', translation.serviceNotices],
  ] as const;
  const known = said.flatMap(([kind, collection]) =>
    commit.changes<unknown>(collection).flatMap(({ key, after }) => (after === undefined ? [`${kind} ${key}`] : [])),
  );
  for (const object of new Set(known)) if (edits.get(object) === 'deleted') log.info('deleted', { object });
}

type Conditions = readonly Condition[];

function gatewayConditions({ conditions, listeners }: GatewayStatus): Conditions {
  const ofListeners = listeners.flatMap((listener) =>
    listener.conditions.map((condition) => ({
      ...condition,
      message: `listener ${listener.name}: ${condition.message}`,
    })),
  );
  return [...conditions, ...ofListeners];
}

function policyConditions({ ancestors }: PolicyStatus): Conditions {
  return ancestors.flatMap(({ conditions }) => conditions);
}

/** Condition types with negative polarity: `True` is the problem. */
const negativePolarity = new Set(['Conflicted', 'kgateway.dev/PartiallyInvalid', 'kgateway.dev/InternalError']);

/** Without `spec.jwt` (`NotProvided`) everything is as written: gateways may have the keys in their own configuration. */
function problemsIn(conditions: Conditions): Conditions {
  return conditions.filter(({ type, status, reason }) =>
    negativePolarity.has(type) ? status === 'True' : status !== 'True' && reason !== 'NotProvided',
  );
}

function logObject(
  log: Lines,
  object: string,
  { before, after }: { readonly before: Conditions | undefined; readonly after: Conditions | undefined },
  edits: Edits,
): void {
  if (after === undefined) {
    // An object that is there, and has no status: nothing of it is for this controller.
    if (edits.get(object) !== 'deleted') log.info('no longer of this controller', { object });
    return;
  }
  const problems = problemsIn(after);
  if (problems.length > 0) {
    const details = problems.map(({ type, status, reason, message }) => `${type}=${status} (${reason}): ${message}`);
    log.warn('not accepted as written', { object, conditions: details });
    return;
  }
  // Conditions also change with other objects, such as those of a Gateway with its policies: it is as good as before.
  const wasGood = before !== undefined && problemsIn(before).length === 0;
  if (!wasGood || edits.has(object)) log.info('accepted', { object });
}

function logNotices(log: Lines, translation: Translation, commit: Commit): void {
  for (const { key, after } of commit.changes(translation.policyNotices)) {
    const object = `MCPAuthPolicy ${key}`;
    if (after !== undefined) log.warn('references that no status can name', { object, because: after.unwritable });
  }
  for (const { key, after } of commit.changes(translation.serviceNotices)) {
    const object = `Service ${key}`;
    if (after === undefined) continue;
    if (after.dropped.length > 0) log.warn('dropped', { object, because: after.dropped });
    if (after.warnings.length > 0) log.warn('works, with remarks', { object, remarks: after.warnings });
  }
}
