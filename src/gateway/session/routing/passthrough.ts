import type { PrimitiveKind } from '../../../authz/model.ts';
import type { Caller } from '../../model.ts';
import type { Params } from '../../rpc/model.ts';
import type { Authorization } from '../decisions/authorization.ts';
import type { UpstreamSessions } from '../upstream-sessions.ts';

/** What MCP knows passes through its own handlers, or not at all: methods of targets, and of other revisions. */
const known =
  /^(?:initialize|ping|(?:server|subscriptions|completion|logging|sampling|elicitation|roots|tasks|tools|prompts|resources)\/.*)$/;

/** A method of an extension, as long as a header may be. */
const extension = /^[\w.-]{1,64}(?:\/[\w.-]{1,64}){1,4}$/;

/** The notifications of clients that MCP knows. */
const knownNotifications: readonly string[] = [
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
  'notifications/tasks',
  'notifications/tasks/status',
];

const kinds: readonly PrimitiveKind[] = ['tool', 'prompt', 'resource'];

/** What nobody knows: it goes to the only target, of a caller who may use everything there. */
export interface Passthrough {
  /** The same as {@link targetOf}, once for each request: logs the decision where there is one. */
  authorize(method: string, caller: Caller): string | undefined;
  /** Returns the target of a request of an unknown method; `undefined` when it goes nowhere. */
  targetOf(method: string, caller: Caller): string | undefined;
  /** Returns whether a caller may have the response, or send such a message. */
  allows(caller: Caller): boolean;
  notified(method: string, params: Params | undefined, caller: Caller): void;
}

/**
 * A method that is not known may use anything: rules say nothing of it. So only those who may use every tool, prompt
 * and resource of every target send one, and only where there is no choice of targets.
 */
export function createPassthrough(parts: {
  readonly authorization: Pick<Authorization, 'reachable' | 'passed'>;
  readonly upstreams: Pick<UpstreamSessions, 'targetNames' | 'opened'>;
}): Passthrough {
  const { authorization, upstreams } = parts;
  const allows = (caller: Caller): boolean => kinds.every((kind) => authorization.reachable(kind, caller) === 'all');
  const theTarget = (): string | undefined => {
    const [only, ...others] = upstreams.targetNames();
    return others.length === 0 ? only : undefined;
  };
  const onlyTarget = (caller: Caller): string | undefined => (allows(caller) ? theTarget() : undefined);
  const isUnknown = (method: string): boolean => extension.test(method) && !known.test(method);
  return {
    allows,
    authorize(method, caller) {
      const target = isUnknown(method) ? theTarget() : undefined;
      if (target === undefined) return undefined;
      const isAllowed = allows(caller);
      authorization.passed(method, caller, isAllowed);
      return isAllowed ? target : undefined;
    },
    targetOf: (method, caller) => (isUnknown(method) ? onlyTarget(caller) : undefined),
    notified(method, params, caller) {
      const isExtension = extension.test(method) && !knownNotifications.includes(method);
      const target = isExtension ? onlyTarget(caller) : undefined;
      if (target !== undefined) upstreams.opened(target)?.notify(method, params);
    },
  };
}
