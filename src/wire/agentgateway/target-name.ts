import type { TargetName } from '../../translate/model.ts';

/**
 * Names of targets in this dialect. A data plane rejects a whole MCP Backend for a name that is not lower case labels
 * with dots between them, and reads a tool's name up to the first `_` as the target.
 *
 *   <namespace>/<service>          →  <service>.<namespace>
 *   <namespace>/<service>/<port>   →  <port>.<service>.<namespace>
 *
 * No label contains a dot, so two labels are the short form and three the long one: the mapping is injective.
 */

declare const brand: unique symbol;

/** The name of a target in this dialect; made by the two functions below only. */
export type DottedName = string & { readonly [brand]: 'DottedName' };

/** Returns the name of a target. */
export function dottedName(name: TargetName): DottedName {
  return name.split('/').reverse().join('.') as DottedName;
}

/**
 * Returns the name in this dialect of a target that a rule names; undefined for a text that is no name of a target. The
 * text itself must never be sent: a rule for `a.b` names no target, and `a.b` is what target `b/a` is called here.
 */
export function dottedNameOf(target: string): DottedName | undefined {
  return targetPattern.test(target) ? dottedName(target as TargetName) : undefined;
}

const targetPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?\/[a-z0-9]([-a-z0-9]*[a-z0-9])?(\/[1-9][0-9]{0,4})?$/;
