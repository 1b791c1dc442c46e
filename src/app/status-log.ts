import type { Logger } from '../edges.ts';
import type { Change, Commit } from '../graph/model.ts';
import type { Condition, ServiceNotice, Translation } from '../translate/model.ts';

/** Lines of one commit at each level; the others are counted: one file may have thousands of objects. */
const mostLines = 20;

/** What writes the lines of one commit. */
type Lines = Pick<Logger, 'info' | 'warn'>;

/**
 * Logs the conditions of the objects that a commit changed, one line each, up to twenty that have a problem and as
 * many without: for inputs that store no status (files, or a cluster with `--write-status=false`).
 */
export function logStatuses(log: Logger, translation: Translation, commit: Commit): void {
  const written = { info: 0, warn: 0 };
  const write =
    (level: keyof Lines): Logger['info'] =>
    (message, fields) => {
      written[level] += 1;
      if (written[level] <= mostLines) log[level](message, fields);
    };
  logObjects({ info: write('info'), warn: write('warn') }, translation, commit);
  const [more, accepted] = [written.warn - mostLines, written.info - mostLines].map((count) => Math.max(0, count));
  if (more !== 0) log.warn('more objects are not accepted as written: /debug/problems lists them', { more });
  if (accepted !== 0) log.info('more objects are accepted', { more: accepted });
}

function logObjects(log: Lines, translation: Translation, commit: Commit): void {
  for (const { after } of commit.changes(translation.gatewayClassStatuses)) {
    if (after !== undefined) logConditions(log, `GatewayClass ${after.name}`, after.conditions);
  }
  for (const { after } of commit.changes(translation.gatewayStatuses)) {
    if (after === undefined) continue;
    const listeners = after.listeners.flatMap(({ name, conditions }) => conditions.map((c) => inListener(name, c)));
    logConditions(log, `Gateway ${after.namespace}/${after.name}`, [...after.conditions, ...listeners]);
  }
  for (const { after } of commit.changes(translation.policyStatuses)) {
    if (after === undefined) continue;
    const conditions = after.ancestors.flatMap((ancestor) => ancestor.conditions);
    logConditions(log, `MCPAuthPolicy ${after.namespace}/${after.name}`, conditions);
  }
  logServices(log, commit.changes(translation.serviceNotices));
  for (const { after } of commit.changes(translation.policyNotices)) {
    if (after === undefined) continue;
    log.warn('references that no status can name', {
      object: `MCPAuthPolicy ${after.namespace}/${after.name}`,
      because: after.unwritable,
    });
  }
}

/** Condition types with negative polarity: `True` is the problem. */
const negativePolarity = new Set(['Conflicted', 'kgateway.dev/PartiallyInvalid', 'kgateway.dev/InternalError']);

/** Without `spec.jwt` (`NotProvided`) everything is as written: gateways may have the keys in their own configuration. */
function logConditions(log: Lines, object: string, conditions: readonly Condition[]): void {
  const problems = conditions.filter(({ type, status, reason }) =>
    negativePolarity.has(type) ? status === 'True' : status !== 'True' && reason !== 'NotProvided',
  );
  if (problems.length === 0) {
    log.info('accepted', { object });
    return;
  }
  const details = problems.map(({ type, status, reason, message }) => `${type}=${status} (${reason}): ${message}`);
  log.warn('not accepted as written', { object, conditions: details });
}

function inListener(listener: string, condition: Condition): Condition {
  return { ...condition, message: `listener ${listener}: ${condition.message}` };
}

function logServices(log: Lines, changes: readonly Change<ServiceNotice>[]): void {
  for (const { after } of changes) {
    if (after === undefined) continue;
    const object = `Service ${after.namespace}/${after.name}`;
    if (after.dropped.length > 0) log.warn('dropped', { object, because: after.dropped });
    if (after.warnings.length > 0) log.warn('works, with remarks', { object, remarks: after.warnings });
  }
}
