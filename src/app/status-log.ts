import type { Logger } from '../edges.ts';
import type { Change, Commit } from '../graph/model.ts';
import type { Condition, ServiceNotice, Translation } from '../translate/model.ts';

/**
 * Tells in the log what became of each object: without a cluster there is no status to look it up in. Only what a
 * commit changed is looked at, and one line is written for each object whose conditions are others now.
 */
export function reportStatuses(log: Logger, translation: Translation, commit: Commit): void {
  for (const { after } of commit.changes(translation.gatewayClassStatuses)) {
    if (after !== undefined) tell(log, `GatewayClass ${after.name}`, after.conditions);
  }
  for (const { after } of commit.changes(translation.gatewayStatuses)) {
    if (after === undefined) continue;
    const listeners = after.listeners.flatMap(({ name, conditions }) => conditions.map((c) => inListener(name, c)));
    tell(log, `Gateway ${after.namespace}/${after.name}`, [...after.conditions, ...listeners]);
  }
  for (const { after } of commit.changes(translation.policyStatuses)) {
    if (after === undefined) continue;
    const conditions = after.ancestors.flatMap((ancestor) => ancestor.conditions);
    tell(log, `MCPAuthPolicy ${after.namespace}/${after.name}`, conditions);
  }
  reportServices(log, commit.changes(translation.serviceNotices));
  for (const { after } of commit.changes(translation.policyNotices)) {
    if (after === undefined) continue;
    log.warn('references that no status can name', {
      object: `MCPAuthPolicy ${after.namespace}/${after.name}`,
      because: after.unwritable,
    });
  }
}

/** Conditions whose being true is the trouble. */
const bad = new Set(['Conflicted', 'kgateway.dev/PartiallyInvalid', 'kgateway.dev/InternalError']);

function tell(log: Logger, object: string, conditions: readonly Condition[]): void {
  const troubles = conditions.filter(({ type, status }) => (bad.has(type) ? status === 'True' : status !== 'True'));
  if (troubles.length === 0) {
    log.info('accepted', { object });
    return;
  }
  const details = troubles.map(({ type, status, reason, message }) => `${type}=${status} (${reason}): ${message}`);
  log.warn('not accepted as written', { object, conditions: details });
}

function inListener(listener: string, condition: Condition): Condition {
  return { ...condition, message: `listener ${listener}: ${condition.message}` };
}

function reportServices(log: Logger, changes: readonly Change<ServiceNotice>[]): void {
  for (const { after } of changes) {
    if (after === undefined) continue;
    const object = `Service ${after.namespace}/${after.name}`;
    if (after.dropped.length > 0) log.warn('dropped', { object, because: after.dropped });
    if (after.warnings.length > 0) log.warn('works, with remarks', { object, remarks: after.warnings });
  }
}
