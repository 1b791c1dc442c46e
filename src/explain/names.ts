import { quoted } from '../json/quoted.ts';
import { writtenRules } from './grants.ts';
import type { AccessRequest, ExplainInputs, Reason } from './model.ts';
import { keysOf, nearestName } from './nearest.ts';
import { withoutNamespace } from './targets.ts';

/**
 * Recognises a name that no rule can have: the form in which clients see a resource (`mcp://<target>/<URI>`) or, with
 * `--names=portable`, a tool, or the bare name that an upstream uses. Rules have `<target>:<name>`.
 */
export function nameReason(inputs: ExplainInputs, { kind, name }: AccessRequest): Reason | undefined {
  const exposed = ruleNameOf(name);
  const portable = portableNameOf(inputs, name);
  const form = kind === 'resource' ? '<target>:<upstream URI>' : `<target>:<${kind}>`;
  const isLike = `the name of a ${kind} in rules is ${form}`;
  if (exposed !== undefined) {
    const message = `${quoted(name)} is the URI that clients see; ${isLike}, here ${quoted(exposed)}. Ask for that one.`;
    return { code: 'name-form', at: undefined, message };
  }
  if (portable !== undefined && kind !== 'resource') {
    const message = `${quoted(name)} is the name that clients see at a gateway with --names=portable; ${isLike}, here ${quoted(portable)}. Ask for that one.`;
    return { code: 'name-form', at: undefined, message };
  }
  const colon = name.indexOf(':');
  const target = colon > 0 ? name.slice(0, colon) : undefined;
  if (target !== undefined && (target.includes('/') || inputs.translation.targets.get(target) !== undefined))
    return undefined;
  const completed = target === undefined ? undefined : withoutNamespace(inputs, target);
  if (completed !== undefined && !name.startsWith('//', colon + 1)) {
    const message = `${quoted(name)} names its target without the namespace; ${isLike}, here ${quoted(completed + name.slice(colon))}. Ask for that one.`;
    return { code: 'name-form', at: undefined, message };
  }
  const what = kind === 'resource' && target !== undefined ? "the upstream's own URI" : 'a name without its target';
  const full = fullName(inputs, name, kind);
  const hint = full === undefined ? 'Write the target before it.' : `Did you mean ${quoted(full)}?`;
  return { code: 'name-form', at: undefined, message: `${quoted(name)} is ${what}; ${isLike}. ${hint}` };
}

/** The name in rules of a resource whose exposed URI is given; undefined for any other text. */
export function ruleNameOf(exposed: string): string | undefined {
  const rest = /^mcp:\/\/(.*)$/s.exec(exposed)?.[1];
  if (rest === undefined) return undefined;
  const colon = rest.indexOf('/:');
  const slash = colon === -1 ? rest.lastIndexOf('/') : colon;
  if (slash <= 0) return undefined;
  try {
    const uri = colon === -1 ? decodeURIComponent(rest.slice(slash + 1)) : rest.slice(colon + 2);
    return `${decodeURIComponent(rest.slice(0, slash))}:${uri}`;
  } catch {
    return undefined;
  }
}

/** The name in rules of a portable one without escapes, whose target there is; undefined for any other text. */
function portableNameOf({ translation }: ExplainInputs, name: string): string | undefined {
  const end = name.indexOf('__');
  if (end <= 0 || name.includes('--') || name.includes(':')) return undefined;
  const target = name.slice(0, end).replaceAll('_', '/');
  return translation.targets.get(target) === undefined ? undefined : `${target}:${name.slice(end + 2)}`;
}

/** A name with a target that rules have, and that ends with this one. */
function fullName(inputs: ExplainInputs, item: string, kind: AccessRequest['kind']): string | undefined {
  const full = new Map<string, string>();
  for (const policy of keysOf(inputs.resources.MCPAuthPolicy)) {
    for (const rule of writtenRules(inputs, policy)) {
      if (rule.kind === kind && rule.name !== '*') full.set(rule.name.slice(rule.name.indexOf(':') + 1), rule.name);
    }
  }
  return full.get(item) ?? full.get(nearestName(item, full.keys()) ?? '');
}
