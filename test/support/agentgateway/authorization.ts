import { parse } from '@marcbachmann/cel-js';

/** A call as rules see it. */
export interface McpCall {
  readonly kind: 'tool' | 'prompt' | 'resource';
  /** As the data plane names it. */
  readonly target: string;
  readonly name: string;
}

/** The claims of a caller; undefined for one whose token nobody checked. */
export type CallerClaims = Readonly<Record<string, unknown>> | undefined;

type Evaluate = (context: Record<string, unknown>) => unknown;

const parsed = new Map<string, Evaluate>();

/** Evaluates one expression by a CEL implementation of others. An error counts as false, as in agentgateway. */
export function matches(expression: string, claims: CallerClaims, { kind, target, name }: McpCall): boolean {
  let evaluate = parsed.get(expression);
  if (evaluate === undefined) {
    evaluate = parse(expression);
    parsed.set(expression, evaluate);
  }
  const context = { mcp: { [kind]: { target, name } }, ...(claims && { jwt: celValue(claims) }) };
  try {
    return evaluate(context) === true;
  } catch {
    return false;
  }
}

/** Maps instead of objects: the library would read a member `constructor` of an object as its type. */
function celValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(celValue);
  if (typeof value !== 'object' || value === null) return value;
  return new Map(Object.entries(value).map(([key, member]) => [key, celValue(member)]));
}

/** The rules of one policy. */
export interface RuleSet {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly require: readonly string[];
}

/** Decides a call by all policies that apply to it, pooled (agentgateway's `RuleSets::validate`). */
export function decide(policies: readonly RuleSet[], claims: CallerClaims, call: McpCall): boolean {
  const pool = (part: keyof RuleSet): readonly string[] => policies.flatMap((rules) => rules[part]);
  const holds = (expression: string): boolean => matches(expression, claims, call);
  const [allow, deny, required] = [pool('allow'), pool('deny'), pool('require')];
  // Without any rule, everything is allowed.
  if (allow.length + deny.length + required.length === 0) return true;
  if (deny.some(holds) || !required.every(holds)) return false;
  return allow.length === 0 || allow.some(holds);
}
